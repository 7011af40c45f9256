// What a tier says of its own accord, when no member has said anything: refusals, with the rule or the failure in X-LB-Error,
// and the few requests that end here.

import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { ERROR_HEADER, type Failed, LEFT_HEADER } from "../forward/attempt.ts";
import { type Failure, failures } from "../rules/failures.ts";
import type { Refusal } from "../rules/request-rules.ts";
import { discardRest } from "./exchange.ts";

const TEXT = "text/plain; charset=utf-8";
const RETRY_AFTER_S = "1";

/** A gateway opens no tunnels to wherever a client says (RFC 9110 section 9.3.6); node:http would hang up without a word. */
export const CONNECT_REFUSED = rawRefusal("405 Method Not Allowed", "connect", [
  "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS",
]);

/** For an upgrade that no member answered; its socket has no ServerResponse. */
export function upgradeFailure(failure: Failure): string {
  const { status } = failures[failure];
  const retryAfter = status === 503 ? [`Retry-After: ${RETRY_AFTER_S}`] : [];
  return rawRefusal(`${status} ${STATUS_CODES[status]}`, failure, retryAfter);
}

/** For bytes that are no request. */
export function faultAnswer(status: number): string {
  return rawRefusal(`${status} ${STATUS_CODES[status]}`, "syntax", []);
}

/** The same for an upgrade. */
export function refuseUpgrade(socket: Socket, { status, rule }: Refusal): void {
  socket.end(rawRefusal(`${status} ${STATUS_CODES[status]}`, rule, []));
}

/** A request that no member gets to see. What follows on its connection cannot be trusted to be one. @returns its status */
export function refuse(response: ServerResponse, { status, rule, reason }: Refusal): number {
  const text = `${status}: ${reason}\n`;
  const headers = { "Content-Type": TEXT, "Content-Length": Buffer.byteLength(text), [ERROR_HEADER]: rule };
  response.writeHead(status, { ...headers, Connection: "close" }).write(text);
  // The end closes the connection; with bytes of the client's unread that would be a reset, which takes the answer with it.
  discardRest(response.req, () => response.end());
  return status;
}

/** A request that no member answered. An answer that has begun can only be broken off, as the attempt has done. */
export function admitFailure(response: ServerResponse, { failure, nobodyLeft, behind }: Failed): number {
  const { status } = behind ?? failures[failure];
  if (response.headersSent || response.destroyed) return status;
  const error = behind?.error ?? failure;
  const retryAfter = status === 503 ? { "Retry-After": RETRY_AFTER_S } : {};
  const left = nobodyLeft ? { [LEFT_HEADER]: "0" } : {};
  // Its reason is given, as one of the member's may have been set before its answer turned out to be none.
  response.writeHead(status, STATUS_CODES[status], {
    "Content-Type": TEXT,
    [ERROR_HEADER]: error,
    ...left,
    ...retryAfter,
  });
  response.end(`${status}: ${error}\n`);
  return status;
}

/** An OPTIONS that may go no further (RFC 9110 section 7.6.2). */
export function answerOptions(response: ServerResponse): number {
  response.writeHead(204).end();
  return 204;
}

function rawRefusal(statusLine: string, error: string, headers: readonly string[]): string {
  const lines = [
    `HTTP/1.1 ${statusLine}`,
    `${ERROR_HEADER}: ${error}`,
    ...headers,
    "Content-Length: 0",
    "Connection: close",
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
