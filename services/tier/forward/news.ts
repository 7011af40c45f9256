// The requests over which more members died than a request may break: it may be what kills them. A member that was asked to stop does not
// count, and where several are, as by `docker compose up`, the registry may say so a moment after the connections broke. They wait for
// that, a short time and not too many; and no longer when it turns out that those members go on to answer others.

import { nowMs } from "../../runtime/clock.ts";

/** On those that broke over a request. */
export interface Evidence {
  /** Were they no more than it may break? */
  readonly isCleared: boolean;
  /** Were they more in any case, as those that serve on were hardly asked to stop? */
  readonly isVain: boolean;
}

export interface Suspect {
  readonly evidence: Evidence;
  /** It tries again. */
  proceed(): void;
  /** Nothing was said in its favour. */
  giveUp(): void;
}

/** A busy engine takes so long to tell of a stop. */
const NEWS_WITHIN_MS = 2_000;
const WAITING_MAX = 256;
const LOOK_EVERY_MS = 20;

export class News {
  /** With the time until which each waits, the first to end first. */
  readonly #waiting = new Map<Suspect, number>();
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  /** @returns false: too many wait */
  enter(suspect: Suspect): boolean {
    if (this.#over || this.#waiting.size >= WAITING_MAX) return false;
    this.#waiting.set(suspect, nowMs() + NEWS_WITHIN_MS);
    this.#timer ??= setInterval(() => this.#endOver(), LOOK_EVERY_MS);
    return true;
  }

  leave(suspect: Suspect): void {
    this.#release([suspect]);
  }

  /** The registry says more. */
  came(): void {
    const cleared = [...this.#waiting.keys()].filter(({ evidence }) => evidence.isCleared);
    this.#release(cleared);
    for (const suspect of cleared) suspect.proceed();
  }

  /** Nobody waits any longer. */
  end(): void {
    this.#over = true;
    this.#giveUp([...this.#waiting.keys()]);
  }

  #endOver(): void {
    const now = nowMs();
    const over = [...this.#waiting].filter(([{ evidence }, untilMs]) => evidence.isVain || now >= untilMs);
    this.#giveUp(over.map(([suspect]) => suspect));
  }

  #giveUp(some: readonly Suspect[]): void {
    this.#release(some);
    for (const suspect of some) suspect.giveUp();
  }

  #release(some: readonly Suspect[]): void {
    for (const suspect of some) this.#waiting.delete(suspect);
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
