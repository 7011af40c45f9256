// The retry budget: every request earns a fifth of a token, a retry of something that may have been executed costs one. So a burst of
// failures, a server dying with all it held, is hidden whole, and yet when everything fails the tier adds at most a fifth to the
// load (Finagle's RetryBudget; a limit on retries at one time, Envoy's, would fail that very burst). What was never sent costs
// nothing: repeating it adds no load to anybody.

import { type Failure, failures } from "../rules/failures.ts";

const TOKENS_MIN = 100;
const EARNED_PER_REQUEST = 0.2;

export class RetryBudget {
  readonly #tokensMax: number;
  #tokens: number;

  /** @param memberRequestsMax the most that one member works on at a time: what its death can cost at once */
  constructor(memberRequestsMax: number) {
    this.#tokensMax = Math.max(TOKENS_MIN, memberRequestsMax);
    this.#tokens = this.#tokensMax;
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
