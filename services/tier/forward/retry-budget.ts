// The retry budget: every request earns a fifth of a token, a retry of something that may have been executed costs one. So a burst of
// failures, a server dying with all it held, is hidden whole, and yet when everything fails the tier adds at most a fifth to the
// load (Finagle's RetryBudget; a limit on retries at one time, Envoy's, would fail that very burst). What was never sent costs
// nothing: repeating it adds no load to anybody.

import { type Failure, failures } from "../rules/failures.ts";

const TOKENS_MIN = 100;
const EARNED_PER_REQUEST = 0.2;

export class RetryBudget {
  #tokensMax = TOKENS_MIN;
  #tokens = TOKENS_MIN;

  /**
   * Grows with the largest member that there has been. What it grows by may be spent at once; what was spent is earned as ever.
   * @param requests the most that one member works on at a time: what its death can cost at once
   */
  cover(requests: number): void {
    const more = Math.max(0, requests - this.#tokensMax);
    this.#tokensMax += more;
    this.#tokens += more;
  }

  get tokens(): number {
    return this.#tokens;
  }

  /** For each request. */
  earn(): void {
    this.#tokens = Math.min(this.#tokensMax, this.#tokens + EARNED_PER_REQUEST);
  }

  /** May a retry follow this failure? False: the budget is exhausted, and the failure goes to the client. */
  affords(failure: Failure): boolean {
    return costOf(failure) <= this.#tokens;
  }

  spend(failure: Failure): void {
    this.#tokens -= costOf(failure);
  }
}

function costOf(failure: Failure): 0 | 1 {
  return failures[failure].retry === "any" ? 0 : 1;
}
