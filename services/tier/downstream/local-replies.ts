// Pure. What a tier says of its own accord (Envoy's local reply), when no member has said anything: refusals, with the rule or the
// failure in X-LB-Error, and the few requests that end here.

import { failures } from "../rules/failures.ts";
import type { FailedOutcome } from "../rules/outcome.ts";
import type { Refusal } from "../rules/request-rules.ts";
import { ERROR_HEADER, LEFT_HEADER } from "../rules/tier-signals.ts";

export interface LocalReply {
  readonly status: number;
  readonly reason: string;
  /** Flat: name, value, name, value. */
  readonly headers: readonly string[];
  /** Empty: it has no body. */
  readonly text: string;
  /** Does the connection end behind it? */
  readonly close: boolean;
}

const TEXT = ["Content-Type", "text/plain; charset=utf-8"];
const RETRY_AFTER = ["Retry-After", "1"];

/** RFC 9110 section 15 and RFC 6585; 499 is nginx's word for a client that left, which nobody reads. */
const REASONS: Readonly<Record<number, string>> = {
  204: "No Content",
  400: "Bad Request",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Payload Too Large",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  499: "Client Closed Request",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

/** A gateway opens no tunnels to wherever a client says (RFC 9110 section 9.3.6). */
export const CONNECT_REFUSED = bare(405, ["Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"], "connect");

/** An OPTIONS that may go no further (RFC 9110 section 7.6.2). */
export const OPTIONS_REPLY: LocalReply = { status: 204, reason: reasonOf(204), headers: [], text: "", close: false };

/** A request that no member gets to see. What follows on its connection cannot be trusted to be one. */
export function refusalReply({ status, rule, reason }: Refusal): LocalReply {
  const text = `${status}: ${reason}\n`;
  const length = ["Content-Length", String(Buffer.byteLength(text))];
  return { status, reason: reasonOf(status), headers: [...TEXT, ...length, ERROR_HEADER, rule], text, close: true };
}

/** The same for an upgrade. */
export function upgradeRefusal({ status, rule }: Refusal): LocalReply {
  return bare(status, [], rule);
}

/** A request that no member answered. */
export function failureReply({ failure, nobodyLeft, behind }: FailedOutcome): LocalReply {
  const { status } = behind ?? failures[failure];
  const error = behind?.error ?? failure;
  const left = nobodyLeft ? [LEFT_HEADER, "0"] : [];
  const headers = [...TEXT, ERROR_HEADER, error, ...left, ...(status === 503 ? RETRY_AFTER : [])];
  return { status, reason: reasonOf(status), headers, text: `${status}: ${error}\n`, close: false };
}

/** The same for an upgrade. */
export function upgradeFailure({ failure }: FailedOutcome): LocalReply {
  const { status } = failures[failure];
  return bare(status, status === 503 ? RETRY_AFTER : [], failure);
}

/** For bytes that are no request. */
export function clientErrorReply(status: number): LocalReply {
  return bare(status, [], "syntax");
}

/** As bytes, for a connection that ends behind it. */
export function closingBytes({ status, reason, headers }: LocalReply): string {
  let head = `HTTP/1.1 ${status} ${reason}\r\n`;
  for (let index = 0; index + 1 < headers.length; index += 2) head += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return `${head}Content-Length: 0\r\nConnection: close\r\n\r\n`;
}

function bare(status: number, headers: readonly string[], error: string): LocalReply {
  return { status, reason: reasonOf(status), headers: [ERROR_HEADER, error, ...headers], text: "", close: true };
}

function reasonOf(status: number): string {
  return REASONS[status] ?? "";
}
