// Pure. The exchanges that wait while every member has as many as it may: bounded in number and time, and which of them goes on first.
// Usually that is the one that has waited longest. While more come than can go on, that order lets everybody wait until nobody is left
// who still wants the answer; then the newest goes first, and only so many wait as go on in a tenth of a second (after Facebook's
// adaptive LIFO with CoDel, "Fail at Scale", 2015). A burst that is being worked off is no such pressure, and neither is a standstill.

/** An exchange that waits for capacity. */
export interface Waiter {
  /** Could it go on now, be it at a member or to its end? */
  readonly ready: boolean;
  /** It waits no longer: there is something for it to do. */
  proceed(): void;
  /** There was no capacity in time. */
  giveUp(): void;
}

export interface QueueLimits {
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

/** As shares of the longest wait: in two windows of this length as many come as go on, that is pressure; then nobody waits longer. */
const SLOW_SHARE = 0.2;
const PRESSED_SHARE = 0.1;
/** Where many more come than go on, that shows sooner: in so many windows of this length, one after the other. */
const WINDOW_MS = 100;
const WINDOWS = 4;
const MANY_MORE = 1.5;
/** As many wait under pressure at the least: whenever one can go on there is one. */
const PRESSED_MIN = 4;

interface Window {
  /** It may have begun with a burst, which says nothing. */
  readonly first: boolean;
  readonly sinceMs: number;
  came: number;
  went: number;
}

export class Queue {
  readonly #limits: QueueLimits;
  /** With the time from which on each waits, the oldest first. */
  readonly #waiting = new Map<Waiter, number>();
  #pressure = false;
  #slow: Window = { first: true, sinceMs: 0, came: 0, went: 0 };
  #quick: Window = { first: true, sinceMs: 0, came: 0, went: 0 };
  /** Did as many come as went on in the slow window before? One may have had a burst in it. */
  #wasMore = false;
  /** Quick windows in a row in which many more came than went on. */
  #inRow = 0;
  /** How many wait at the most under pressure. */
  #pressedMax = PRESSED_MIN;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get pressure(): boolean {
    return this.#pressure;
  }

  /** When the oldest has waited as long as it may; undefined when nobody waits. */
  get dueMs(): number | undefined {
    for (const [, sinceMs] of this.#waiting) return sinceMs + this.#waitMs;
    return undefined;
  }

  /** @returns who has to give up for it: nobody, the oldest one, or itself where the queue is full */
  enter(waiter: Waiter, nowMs: number): Waiter | undefined {
    this.#measure(nowMs);
    this.#slow.came += 1;
    this.#quick.came += 1;
    const { waitingMax } = this.#limits;
    const full = this.#waiting.size >= (this.#pressure ? Math.min(this.#pressedMax, waitingMax) : waitingMax);
    if (full && (waitingMax === 0 || !this.#pressure)) return waiter;
    const [oldest] = full ? this.#waiting.keys() : [];
    if (oldest !== undefined) this.#waiting.delete(oldest);
    this.#waiting.set(waiter, nowMs);
    return oldest;
  }

  /** It waits no longer, for reasons of its own. */
  leave(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  /** The first that is ready, which leaves the queue; undefined: none is. */
  next(nowMs: number): Waiter | undefined {
    if (this.#waiting.size === 0) return undefined;
    this.#measure(nowMs);
    const order = this.#pressure ? [...this.#waiting.keys()].reverse() : this.#waiting.keys();
    for (const waiter of order) {
      if (!waiter.ready) continue;
      this.#waiting.delete(waiter);
      this.#slow.went += 1;
      this.#quick.went += 1;
      return waiter;
    }
    return undefined;
  }

  /** Those that have waited for too long, or are too many under pressure, which leave the queue. */
  expired(nowMs: number): readonly Waiter[] {
    const beforeMs = nowMs - this.#waitMs;
    let tooMany = this.#pressure ? this.#waiting.size - this.#pressedMax : 0;
    const expired: Waiter[] = [];
    for (const [waiter, sinceMs] of this.#waiting) {
      if (sinceMs > beforeMs && tooMany <= 0) break;
      tooMany -= 1;
      expired.push(waiter);
    }
    for (const waiter of expired) this.#waiting.delete(waiter);
    return expired;
  }

  get #waitMs(): number {
    return this.#limits.waitMsMax * (this.#pressure ? PRESSED_SHARE : 1);
  }

  /** An empty queue ends all pressure, and nothing else does: those that come would wait behind all that is left of it. */
  #measure(nowMs: number): void {
    const empty = this.#waiting.size === 0;
    if (empty || nowMs - this.#quick.sinceMs >= WINDOW_MS) this.#endQuick(empty, nowMs);
    if (empty || nowMs - this.#slow.sinceMs >= this.#limits.waitMsMax * SLOW_SHARE) {
      const { first, came, went } = this.#slow;
      const isMore = !empty && !first && went > 0 && came >= went;
      this.#pressure ||= isMore && this.#wasMore;
      this.#wasMore = isMore;
      this.#slow = { first: empty, sinceMs: nowMs, came: 0, went: 0 };
    }
    if (empty) this.#pressure = false;
  }

  #endQuick(empty: boolean, nowMs: number): void {
    const { first, sinceMs, came, went } = this.#quick;
    const isMore = !empty && !first && went > 0 && came >= went * MANY_MORE;
    this.#inRow = isMore ? this.#inRow + 1 : 0;
    this.#pressure ||= this.#inRow >= WINDOWS;
    const perWindow = (went * WINDOW_MS) / Math.max(WINDOW_MS, nowMs - sinceMs);
    this.#pressedMax = Math.max(PRESSED_MIN, Math.ceil(perWindow));
    this.#quick = { first: empty, sinceMs: nowMs, came: 0, went: 0 };
  }
}
