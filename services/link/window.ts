// Pure. Flow control of what a stream receives. Every stream begins with a small window. A stream whose reader keeps up gets a large
// one, as long as the session's budget for large ones lasts. So a reader that stops holds up its own stream and no other, and the
// bytes that all streams together can make this side hold are bounded.

/** What every stream may be sent from the start. */
export const WINDOW_BYTES = 64 * 1024;
export const WINDOW_BYTES_MAX = 512 * 1024;
/** What the windows of one session have beyond those that every stream begins with, all together. */
export const ENLARGED_BYTES_MAX = 16 * 1024 * 1024;

const ENLARGEMENT_BYTES = WINDOW_BYTES_MAX - WINDOW_BYTES;

/** One session's. */
export class WindowBudget {
  #leftBytes = ENLARGED_BYTES_MAX;

  take(bytes: number): boolean {
    if (bytes > this.#leftBytes) return false;
    this.#leftBytes -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#leftBytes += bytes;
  }
}

/** One stream's, as its reader sees it. */
export class ReceiveWindow {
  readonly #budget: WindowBudget;
  #bytes = WINDOW_BYTES;
  /** What the other side may still send. */
  #credit = WINDOW_BYTES;

  constructor(budget: WindowBudget) {
    this.#budget = budget;
  }

  /** Counts what has come. @returns false when it is more than was allowed */
  receive(bytes: number): boolean {
    this.#credit -= bytes;
    return this.#credit >= 0;
  }

  /** What to allow anew, once half of the window is used up; until then 0. Call it when all that came has been taken. */
  replenish(): number {
    if (this.#credit > this.#bytes / 2) return 0;
    if (this.#bytes === WINDOW_BYTES && this.#budget.take(ENLARGEMENT_BYTES)) this.#bytes = WINDOW_BYTES_MAX;
    const grant = this.#bytes - this.#credit;
    this.#credit = this.#bytes;
    return grant;
  }

  /** The stream is over. */
  close(): void {
    this.#budget.giveBack(this.#bytes - WINDOW_BYTES);
    this.#bytes = WINDOW_BYTES;
  }
}
