// What a tier says of its own accord (Envoy's local reply), when no member has said anything: refusals, with the rule or the failure in
// X-LB-Error, and the few requests that end here.

import type { Fault } from "../../http/message/faults.ts";
import { httpDate } from "../../runtime/http-date.ts";
import { failures } from "../rules/failures.ts";
import type { FailedOutcome } from "../rules/outcome.ts";
import type { Refusal } from "../rules/request-rules.ts";
import { ERROR_HEADER, LEFT_HEADER } from "../rules/tier-signals.ts";
import type { ClientSide } from "./client-side.ts";

const TEXT = "Content-Type: text/plain; charset=utf-8\r\n";
const RETRY_AFTER = "Retry-After: 1\r\n";

/** RFC 9110 section 15 and RFC 6585; 499 is nginx's word for a client that left, which nobody reads. */
const REASONS: Readonly<Record<number, string>> = {
  204: "No Content",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Payload Too Large",
  414: "URI Too Long",
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

interface ReplyParts {
  readonly status: number;
  /** Whole lines. */
  readonly lines: string;
  /** Empty: it has no body. */
  readonly text?: string;
  /** Does the connection end behind it? */
  readonly close?: boolean;
}

export class LocalReply {
  readonly status: number;
  readonly #lines: string;
  readonly #text: string;
  readonly #close: boolean;

  constructor({ status, lines, text = "", close = false }: ReplyParts) {
    this.status = status;
    this.#lines = lines;
    this.#text = text;
    this.#close = close;
  }

  write(client: ClientSide): void {
    if (this.#close) client.keepAlive = false;
    const length = this.status === 204 ? -1 : Buffer.byteLength(this.#text);
    const lines = `${this.#lines}Date: ${httpDate()}\r\n`;
    const text = length < 0 ? lines : `${lines}Content-Length: ${length}\r\n`;
    client.head(this.status, REASONS[this.status] ?? "", { text, length });
    if (this.#text !== "") client.data(Buffer.from(this.#text));
    client.end();
  }

  /** As the last bytes of a connection. */
  get closingBytes(): string {
    const head = `HTTP/1.1 ${this.status} ${REASONS[this.status] ?? ""}\r\n${this.#lines}`;
    return `${head}Content-Length: ${Buffer.byteLength(this.#text)}\r\nConnection: close\r\n\r\n${this.#text}`;
  }
}

/** A gateway opens no tunnels to wherever a client says (RFC 9110 section 9.3.6). */
export const CONNECT_REFUSED = new LocalReply({
  status: 405,
  lines: `${errorLine("connect")}Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n`,
  close: true,
});

/** An upgrade that node:http, which carries upgrades out, cannot read. */
export const UPGRADE_UNREADABLE = new LocalReply({
  ...{ status: 501, lines: TEXT + errorLine("upgrade"), close: true },
  text: "501: no such upgrade is carried out here, be it for its method or for how it is asked for\n",
});

/** An OPTIONS that may go no further (RFC 9110 section 7.6.2). */
export const OPTIONS_REPLY = new LocalReply({ status: 204, lines: "" });

/** A request that no member gets to see. What follows on its connection cannot be trusted to be one. */
export function refusalReply({ status, rule, reason }: Refusal | Fault): LocalReply {
  return new LocalReply({ status, lines: TEXT + errorLine(rule), text: `${status}: ${reason}\n`, close: true });
}

/** A request that no member answered. */
export function failureReply({ failure, nobodyLeft, behind }: FailedOutcome): LocalReply {
  const { status } = behind ?? failures[failure];
  const error = behind?.error ?? failure;
  const left = nobodyLeft ? `${LEFT_HEADER}: 0\r\n` : "";
  const lines = TEXT + errorLine(error) + left + (status === 503 ? RETRY_AFTER : "");
  return new LocalReply({ status, lines, text: `${status}: ${error}\n` });
}

/** The same for an upgrade. */
export function upgradeFailure({ failure }: FailedOutcome): LocalReply {
  const { status } = failures[failure];
  return new LocalReply({ status, lines: errorLine(failure) + (status === 503 ? RETRY_AFTER : ""), close: true });
}

function errorLine(error: string): string {
  return `${ERROR_HEADER}: ${error}\r\n`;
}
