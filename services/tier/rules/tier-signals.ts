// Pure. What one tier says to the tier in front of it, in headers of its local replies: that nobody got the request, so that it
// may safely be made again elsewhere.

import { headerValue } from "./headers.ts";

/** The rule or the failure that a local reply is about. */
export const ERROR_HEADER = "X-LB-Error";
/** How many members a tier has left to ask for a request that all of them have failed: none. */
export const LEFT_HEADER = "X-LB-Left";
const NO_MEMBER = "no-member";

/** A local reply of the tier behind us. */
export interface BehindReply {
  readonly status: number;
  readonly error: string;
}

/** @returns undefined for any response but that of a tier behind us that can do nothing more for the request */
export function nobodyBehind(status: number, headers: readonly string[]): BehindReply | undefined {
  const error = headerValue(headers, ERROR_HEADER.toLowerCase());
  if (error === undefined || status < 502 || status > 504) return undefined;
  const nobody = error === NO_MEMBER || headerValue(headers, LEFT_HEADER.toLowerCase()) === "0";
  return nobody ? { status, error } : undefined;
}
