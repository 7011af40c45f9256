// Pure. The retry budget: every request earns a fifth of a retry, a retry of something that may have been executed costs one.
// So a burst of failures, a server dying with all it held, is hidden whole, and yet when everything fails the tier adds at
// most a fifth to the load (Finagle's RetryBudget; a limit on retries at one time, Envoy's, would fail that very burst).
// What was never sent costs nothing: repeating it adds no load to anybody.

import { type Failure, failures } from "../rules/failures.ts";

const TOKENS_MIN = 100;
const EARNED_PER_REQUEST = 0.2;

/** Retries in hand of a fresh tier, and the most that are saved up. @param held the most that one member works on at a time */
export function savings(held: number): number {
  return Math.max(TOKENS_MIN, held);
}

/** The budget after one more request. */
export function earn(tokens: number, tokensMax: number): number {
  return Math.min(tokensMax, tokens + EARNED_PER_REQUEST);
}

/** The budget after a retry behind this failure; undefined: it is exhausted, and the failure goes to the client. */
export function spend(tokens: number, failure: Failure): number | undefined {
  if (failures[failure].retry === "any") return tokens;
  return tokens >= 1 ? tokens - 1 : undefined;
}
