// Pure. How many requests may go to a member before their body is there. A member may want to answer by the head alone, or the body is
// one half of a conversation; but clients that send a few bytes a second must not take all capacity with it (R-U-Dead-Yet): past this
// number a request waits until its body has come, or as much of it as is kept.

/** Of what one member may work on. */
const SHARE = 0.25;

export class EarlyStarts {
  readonly #max: number;
  #count = 0;

  constructor(memberRequestsMax: number) {
    this.#max = Math.max(1, Math.floor(memberRequestsMax * SHARE));
  }

  /** @returns whether one more may start */
  take(): boolean {
    if (this.#count >= this.#max) return false;
    this.#count += 1;
    return true;
  }

  /** Its body has come, or it is over. */
  giveBack(): void {
    this.#count -= 1;
  }
}
