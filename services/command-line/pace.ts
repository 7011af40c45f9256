// Pure. When the requests of an open loop are due: at a rate, whatever becomes of those before them, as from users who know
// nothing of each other. Knows nothing of what is sent, and reads no clock.

export interface Rate {
  readonly perSecond: number;
  /** When the first one is due. */
  readonly startMs: number;
  /** How far back requests are still made up for, so that no flood follows a machine that stood still. Absent: all the way. */
  readonly lateMsMax?: number;
}

export class Pace {
  readonly #periodMs: number;
  readonly #lateMsMax: number;
  #nextMs: number;

  constructor({ perSecond, startMs, lateMsMax = Number.POSITIVE_INFINITY }: Rate) {
    this.#periodMs = 1_000 / perSecond;
    this.#lateMsMax = lateMsMax;
    this.#nextMs = startMs;
  }

  /** When the next one is due. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** Takes the oldest one that is due. @returns when it was due; undefined: none is */
  take(nowMs: number): number | undefined {
    const dueMs = Math.max(this.#nextMs, nowMs - this.#lateMsMax);
    if (dueMs > nowMs) return undefined;
    this.#nextMs = dueMs + this.#periodMs;
    return dueMs;
  }

  /** When each of those was due that have become so since the last call, the oldest first. */
  takeDue(nowMs: number): number[] {
    const due: number[] = [];
    for (let dueMs = this.take(nowMs); dueMs !== undefined; dueMs = this.take(nowMs)) due.push(dueMs);
    return due;
  }
}
