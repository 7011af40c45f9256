// Pure. How an attempt at a member ends: with a response, or with a failure of the table.

import type { Failure } from "./failures.ts";
import type { BehindReply } from "./tier-signals.ts";

export type AttemptOutcome = { readonly kind: "answered"; readonly status: number } | FailedOutcome;

export interface FailedOutcome {
  readonly kind: "failed";
  readonly failure: Failure;
  readonly reason: string;
  /** What the tier behind us said when it could do nothing more. */
  readonly behind?: BehindReply;
  /** Every member has failed the request, and it could safely be made again elsewhere. */
  readonly nobodyLeft?: true;
}

export const NO_ROUTE: FailedOutcome = { kind: "failed", failure: "no-route", reason: "no route leads there" };
export const BODY_TOO_LARGE: FailedOutcome = {
  ...{ kind: "failed", failure: "body-too-large", reason: "its body is larger than its pool takes" },
};
export const NOBODY_SERVES: FailedOutcome = { kind: "failed", failure: "no-member", reason: "nobody serves" };
export const OVERLOADED: FailedOutcome = { kind: "failed", failure: "overloaded", reason: "overloaded" };
