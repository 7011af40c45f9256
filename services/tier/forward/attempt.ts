// What an attempt is given and how it ends, however it is made: over undici (attempt-undici.ts), or over node:http for
// the few requests that undici cannot send (attempt-http.ts).

import type { Member } from "../cluster/members.ts";
import type { Line } from "../node-http/line.ts";
import type { Failure } from "../rules/failures.ts";
import { headerValue, type ResponseFacts } from "../rules/headers.ts";

export type Attempt = { readonly kind: "answered"; readonly status: number } | Failed;

export interface Failed {
  readonly kind: "failed";
  readonly failure: Failure;
  readonly reason: string;
  /** What a tier behind us said when it could do nothing more: its status, and its X-LB-Error. */
  readonly behind?: Behind;
  /** Every member has failed the request, and it could safely be made again elsewhere. */
  readonly nobodyLeft?: true;
}

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

interface Behind {
  readonly status: number;
  readonly error: string;
}

/** The mark of a tier that has nobody: its 503 was sent by no server, and the request reached none. */
export const ERROR_HEADER = "X-LB-Error";
const NO_MEMBER = "no-member";
/** The mark of a tier whose members have all failed a request: how many it has left to ask, which is none. */
export const LEFT_HEADER = "X-LB-Left";

/** What a tier behind us says when it can do nothing more for a request, which may then safely be made again elsewhere. */
export function nobodyBehind(status: number, headers: readonly string[]): Behind | undefined {
  const error = headerValue(headers, ERROR_HEADER.toLowerCase());
  if (error === undefined || status < 502 || status > 504) return undefined;
  const nobody = error === NO_MEMBER || headerValue(headers, LEFT_HEADER.toLowerCase()) === "0";
  return nobody ? { status, error } : undefined;
}
