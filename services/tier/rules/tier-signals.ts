// Pure. What one tier says to the tier in front of it, in headers of its local replies: that nobody got the request, so that it may
// safely be made again elsewhere. Only a proxy is believed; a server's words of this kind are struck (headers.ts).

import { headerId } from "../../http/message/known-headers.ts";
import type { ResponseHead } from "../../http/parsing/response-parser.ts";

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

/** Whose response it is: the member's own, one that it passes on, or what it says of the fault of those behind it. */
export type Answerer = "member" | "server-behind" | "fault-behind";

/**
 * A 5xx that a proxy passes on, or that it gives for somebody else's fault, is nothing against the proxy itself: a client could take every
 * proxy out of traffic with the path of one page that fails.
 */
export function answererOf({ role }: { readonly role: string }, head: ResponseHead): Answerer {
  if (role !== "proxy") return "member";
  if (head.has(headerId["x-lb-error"])) return "fault-behind";
  return head.has(headerId["x-served-by"]) ? "server-behind" : "member";
}

/** @returns undefined for any response but that of a proxy that can do nothing more for the request */
export function nobodyBehind(head: ResponseHead): BehindReply | undefined {
  const { status } = head;
  if (status < 502 || status > 504 || !head.has(headerId["x-lb-error"])) return undefined;
  const error = head.value(headerId["x-lb-error"]) as string;
  const nobody = error === NO_MEMBER || head.value(headerId["x-lb-left"]) === "0";
  return nobody ? { status, error } : undefined;
}
