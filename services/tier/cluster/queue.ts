// Pure. The exchanges that wait while every member has as many as it may: bounded in number and time, and which of them goes on first.
// Usually that is the one that has waited longest. While more come than can go on, that order lets everybody wait until nobody is left
// who still wants the answer; then the newest goes first, and the oldest give up early (Facebook's adaptive LIFO with CoDel, "Fail at
// Scale", 2015). A burst that is being worked off is no such pressure, and neither is a standstill.

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

/**
 * As a share of the longest wait: when for so long more come than can go on, that is pressure, until the queue is empty; and under
 * pressure nobody waits longer.
 */
const PRESSED_SHARE = 0.2;

export class Queue {
  readonly #limits: QueueLimits;
  /** With the time from which on each waits, the oldest first. */
  readonly #waiting = new Map<Waiter, number>();
  #pressure = false;
  /** Since the window began: how many came, and how many went on. The first one may have begun with a burst. */
  #window = { first: true, sinceMs: 0, came: 0, went: 0 };

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
    for (const [, sinceMs] of this.#waiting) return sinceMs + this.#limits.waitMsMax;
    return undefined;
  }

  /** @returns who has to give up for it: nobody, the oldest one, or itself where the queue is full */
  enter(waiter: Waiter, nowMs: number): Waiter | undefined {
    this.#measure(nowMs);
    this.#window.came += 1;
    const { waitingMax } = this.#limits;
    const full = this.#waiting.size >= waitingMax;
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
      this.#window.went += 1;
      return waiter;
    }
    return undefined;
  }

  /** Those that have waited for too long, which leave the queue. */
  expired(nowMs: number): readonly Waiter[] {
    const { waitMsMax } = this.#limits;
    const beforeMs = nowMs - waitMsMax * (this.#pressure ? PRESSED_SHARE : 1);
    const expired: Waiter[] = [];
    for (const [waiter, sinceMs] of this.#waiting) {
      if (sinceMs > beforeMs) break;
      expired.push(waiter);
    }
    for (const waiter of expired) this.#waiting.delete(waiter);
    return expired;
  }

  /** An empty queue ends all pressure, and nothing else does: those that come would wait behind all that is left of it. */
  #measure(nowMs: number): void {
    const { first, sinceMs, came, went } = this.#window;
    const empty = this.#waiting.size === 0;
    if (!empty && nowMs - sinceMs < this.#limits.waitMsMax * PRESSED_SHARE) return;
    this.#pressure = !empty && (this.#pressure || (!first && went > 0 && came >= went));
    this.#window = { first: empty, sinceMs: nowMs, came: 0, went: 0 };
  }
}
