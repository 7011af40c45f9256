// The requests that wait because nobody serves and somebody is made anew: `docker compose up` replaces the last server, say, and the
// next one is there in a second. The registry says so, and for how long they may wait. Their bodies are unread but for what can be
// repeated; how many they are is bounded. Only the tier that clients reach holds: behind it nobody waits twice.

import type { Registry } from "../../registry/document.ts";
import { nowMs } from "../../runtime/clock.ts";

export interface Held {
  /** It tries again, with all its attempts. */
  proceed(): void;
  /** It has waited long enough. */
  giveUp(): void;
}

/** The tiers behind us learn a little later than we do that somebody serves again. */
const CATCH_UP_MS = 3_000;
/** Who took a request so short a while ago has only just gone: the registry may yet say why. */
const NEWS_WITHIN_MS = 500;
/** The one that has waited longest looks so often whether it can go on. */
const TRY_EVERY_MS = 50;

export class Hold {
  readonly #heldMax: number;
  /** With the time at which each was held first, the oldest first. */
  readonly #held = new Map<Held, number>();
  /** How long one may wait, in ms, and until when that is offered. */
  #offer = { waitMs: 0, untilMs: Number.NEGATIVE_INFINITY };
  #answeredMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #total = 0;
  #over = false;

  constructor(heldMax: number) {
    this.#heldMax = heldMax;
  }

  get size(): number {
    return this.#held.size;
  }

  /** How many have been held. */
  get total(): number {
    return this.#total;
  }

  adopt({ members }: Registry): void {
    const waitMs = Math.max(0, ...members.map(({ recreating = 0 }) => recreating));
    if (waitMs > 0) this.#offer = { waitMs, untilMs: Number.POSITIVE_INFINITY };
    else if (this.#offer.untilMs === Number.POSITIVE_INFINITY)
      this.#offer = { ...this.#offer, untilMs: nowMs() + CATCH_UP_MS };
    this.#tryOldest();
  }

  /** @param sinceMs when it was held first. @returns false: there is nothing to wait for, or it has waited long enough, or too many do */
  enter(held: Held, sinceMs: number): boolean {
    const now = nowMs();
    if (this.#over || now >= sinceMs + this.#waitMs(now) || this.#held.size >= this.#heldMax) return false;
    if (sinceMs === now) this.#total += 1;
    this.#held.set(held, sinceMs);
    this.#timer ??= setInterval(() => this.#look(), TRY_EVERY_MS);
    return true;
  }

  leave(held: Held): void {
    this.#held.delete(held);
    this.#rest();
  }

  /** A server has answered somebody: all go on. */
  answered(): void {
    this.#answeredMs = nowMs();
    if (this.#held.size > 0) this.#release([...this.#held.keys()], (held) => held.proceed());
  }

  /** Nobody waits any longer. */
  end(): void {
    this.#over = true;
    this.#release([...this.#held.keys()], (held) => held.giveUp());
  }

  #look(): void {
    const now = nowMs();
    const waitMs = this.#waitMs(now);
    const late = [...this.#held].filter(([, sinceMs]) => now >= sinceMs + waitMs).map(([held]) => held);
    this.#release(late, (held) => held.giveUp());
    this.#tryOldest();
  }

  #waitMs(now: number): number {
    if (now < this.#offer.untilMs) return this.#offer.waitMs;
    return now < this.#answeredMs + NEWS_WITHIN_MS ? NEWS_WITHIN_MS : 0;
  }

  #tryOldest(): void {
    const [oldest] = this.#held.keys();
    if (oldest !== undefined) this.#release([oldest], (held) => held.proceed());
  }

  #release(some: readonly Held[], then: (held: Held) => void): void {
    for (const held of some) this.#held.delete(held);
    this.#rest();
    for (const held of some) then(held);
  }

  #rest(): void {
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
