// Every deadline of the engine on one wheel of coarse ticks, and one timer of Node's for all of them: a deadline is set and set
// anew with each request, and hardly ever comes. Setting one to a later time only notes it; the wheel finds out when it gets
// there. A deadline comes up to two ticks late, never early, by a clock that nobody can set.

import { monotonicMs } from "../runtime/clock.ts";
import { enterTurn, leaveTurn } from "./turn.ts";

export interface Expirable {
  onDeadline(): void;
}

export const TICK_MS = 100;
/** A power of two; a deadline further away than one round is looked at once a round. */
const SLOTS = 1024;

export class Timers {
  readonly #slots: (Deadline | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #nowMs: () => number;
  #ticked = 0;
  #count = 0;
  #ticking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(nowMs: () => number = monotonicMs) {
    this.#nowMs = nowMs;
  }

  /** How many deadlines the wheel holds, those included that have been cleared since. */
  get count(): number {
    return this.#count;
  }

  get nowMs(): number {
    return this.#nowMs();
  }

  link(deadline: Deadline, tick: number): void {
    // In the middle of a tick the wheel stays where it is: whoever is linked anew must not come to the slot that is being emptied.
    if (this.#count === 0 && !this.#ticking) this.#start();
    deadline.tick = Math.min(Math.max(tick, this.#ticked + 1), this.#ticked + SLOTS - 1);
    const slot = deadline.tick & (SLOTS - 1);
    const first = this.#slots[slot];
    deadline.previous = undefined;
    deadline.next = first;
    if (first !== undefined) first.previous = deadline;
    this.#slots[slot] = deadline;
    this.#count += 1;
  }

  unlink(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous === undefined) this.#slots[deadline.tick & (SLOTS - 1)] = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    deadline.tick = 0;
    deadline.previous = undefined;
    deadline.next = undefined;
    this.#count -= 1;
  }

  /** Goes through all slots up to now; a process that stood still catches up. */
  tick(): void {
    const nowTick = Math.floor(this.#nowMs() / TICK_MS);
    const last = Math.min(nowTick, this.#ticked + SLOTS);
    enterTurn();
    this.#ticking = true;
    try {
      while (this.#ticked < last) {
        this.#ticked += 1;
        this.#expire(this.#ticked);
      }
    } finally {
      this.#ticked = nowTick;
      this.#ticking = false;
      leaveTurn();
    }
    if (this.#count === 0) this.#stop();
  }

  #expire(tick: number): void {
    const slot = tick & (SLOTS - 1);
    // Those that are linked anew go to other slots, for they are due later.
    for (let deadline = this.#slots[slot]; deadline !== undefined; deadline = this.#slots[slot]) {
      this.unlink(deadline);
      if (deadline.dueMs === Number.POSITIVE_INFINITY) continue;
      const dueTick = Math.ceil(deadline.dueMs / TICK_MS);
      if (dueTick > tick) this.link(deadline, dueTick);
      else deadline.expire();
    }
  }

  #start(): void {
    this.#ticked = Math.floor(this.#nowMs() / TICK_MS);
    this.#timer ??= setInterval(() => this.tick(), TICK_MS).unref();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** The process's wheel. */
const wheel = new Timers();

/** One moment that somebody waits for; made once, and set again and again. */
export class Deadline {
  dueMs = Number.POSITIVE_INFINITY;
  /** Where it hangs on the wheel; 0: nowhere. */
  tick = 0;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  readonly #owner: Expirable;
  readonly #timers: Timers;

  constructor(owner: Expirable, timers = wheel) {
    this.#owner = owner;
    this.#timers = timers;
  }

  set(inMs: number): void {
    this.dueMs = this.#timers.nowMs + inMs;
    const tick = Math.ceil(this.dueMs / TICK_MS);
    if (this.tick !== 0 && this.tick <= tick) return;
    if (this.tick !== 0) this.#timers.unlink(this);
    this.#timers.link(this, tick);
  }

  /** It comes with the next tick. Whoever says so again and again, more often than the wheel ticks, does not put it off. */
  hasten(): void {
    if (this.dueMs > this.#timers.nowMs) this.set(0);
  }

  /** It may hang on the wheel for a while, and with it its owner. */
  clear(): void {
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  /** For good. */
  remove(): void {
    this.clear();
    if (this.tick !== 0) this.#timers.unlink(this);
  }

  expire(): void {
    this.clear();
    this.#owner.onDeadline();
  }
}
