// What an attempt is given and how it ends, however it is made: over undici (attempt-undici.ts), or over node:http for
// the few requests that undici cannot send (attempt-http.ts).

import type { Failure } from "./failures.ts";
import { headerValue, type ResponseFacts } from "./headers.ts";
import type { Line } from "./line.ts";
import type { Member } from "./members.ts";

export type Attempt =
  | { readonly kind: "answered"; readonly status: number }
  | { readonly kind: "failed"; readonly failure: Failure; readonly reason: string };

export interface AttemptOptions {
  readonly member: Member;
  readonly line: Line;
  readonly facts: ResponseFacts;
  readonly connectTimeoutMs: number;
  /** Until the head of the answer; what is left of the deadline over all attempts. */
  readonly responseTimeoutMs: number;
  /** Longest silence in the middle of an answer. */
  readonly idleTimeoutMs: number;
  /** Told when an answer begins: what its status says of the member does not wait for the end of a long body. */
  readonly onAnswering: (status: number) => void;
  /** Asked before anything of an answer goes to the client: is the failure one to hide behind another attempt? */
  readonly mayRetry: (failure: Failure) => boolean;
}

/** The mark of a tier that has nobody: its 503 was sent by no server, and the request reached none. */
export const ERROR_HEADER = "X-LB-Error";
export const NO_MEMBER = "no-member";

export function saysNobody(status: number, headers: readonly string[]): boolean {
  return status === 503 && headerValue(headers, ERROR_HEADER.toLowerCase()) === NO_MEMBER;
}
