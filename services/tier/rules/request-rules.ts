// Pure. What a request must be before it is forwarded: a table of rules, each with its section of the RFC or its attack. The parser has
// already refused what can be read in two ways (services/http/message/faults.ts); these are the requests that a proxy must not pass on.

import { bitsOf, headerId } from "../../http/message/known-headers.ts";
import { HOST, type RequestHead } from "../../http/parsing/request-parser.ts";

export interface Refusal {
  readonly status: number;
  /** The rule's name, for X-LB-Error. */
  readonly rule: string;
  /** One line for the client. */
  readonly reason: string;
}

/** Where a request that passed is going, by its target and its Host. */
export interface Destination {
  /** Origin-form, or `*`; byte for byte what the client sent. */
  readonly path: string;
  readonly host: string | undefined;
}

/** What the rules say of a request. */
export type Judgement =
  | { readonly ok: true; readonly to: Destination }
  | { readonly ok: false; readonly refusal: Refusal };

export interface RequestLimits {
  /** This tier's name in Via. */
  readonly pseudonym: string;
  /** Those that tiers write are not counted: what one tier takes, the next one does too. */
  readonly headersMax: number;
  /** Of the whole head, without the headers that tiers write. */
  readonly headBytesMax: number;
  /** 0: any size. */
  readonly bodyBytesMax: number;
}

interface Rule {
  readonly name: string;
  readonly status: number;
  readonly reason: string;
  readonly broken: (head: RequestHead, limits: RequestLimits) => boolean;
}

const TIER_HEADERS = bitsOf(
  ...(["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded"] as const),
  ...(["x-request-id", "traceparent", "via"] as const),
);
/** How often a request may come past us: a chain of stacks with the same names is no loop yet, a third time is. */
const VISITS_MAX = 2;

/** In the order in which they are checked. */
export const requestRules: readonly Rule[] = [
  {
    name: "trace",
    status: 405,
    reason: "TRACE is refused: it would echo credentials and what proxies add (RFC 9110 section 9.3.8)",
    broken: ({ method }) => method === "TRACE",
  },
  {
    name: "headers",
    status: 431,
    reason: "there are too many headers (RFC 6585 section 5)",
    broken: (head, { headersMax }) => head.count > headersMax && head.count - written(head) > headersMax,
  },
  {
    name: "headers",
    status: 431,
    reason: "the headers are too large (RFC 6585 section 5)",
    broken: (head, { headBytesMax }) =>
      head.text.length > headBytesMax && head.text.length - writtenBytes(head) > headBytesMax,
  },
  {
    name: "body-too-large",
    status: 413,
    reason: "the body is larger than is taken here (RFC 9110 section 15.5.14)",
    broken: ({ framing }, { bodyBytesMax }) =>
      bodyBytesMax > 0 && framing.kind === "length" && framing.length > bodyBytesMax,
  },
  {
    name: "target",
    status: 400,
    reason: "the request target is none that a proxy may forward (RFC 9112 section 3.2)",
    broken: ({ method, target }) => target[0] !== "/" && destinationOf(method, target) === undefined,
  },
  {
    name: "max-forwards",
    status: 400,
    reason: "Max-Forwards is no whole number (RFC 9110 section 7.6.2)",
    broken: (head) =>
      head.method === "OPTIONS" &&
      head.has(headerId["max-forwards"]) &&
      !/^\d{1,9}$/.test(head.list(headerId["max-forwards"]) as string),
  },
  {
    name: "expectation",
    status: 417,
    reason: "the only expectation understood is 100-continue (RFC 9110 section 10.1.1)",
    broken: (head) => head.has(headerId.expect) && head.list(headerId.expect)?.toLowerCase() !== "100-continue",
  },
  {
    name: "loop",
    status: 508,
    reason: "the request has come past here before: a server of this tier leads back to it (RFC 9110 section 7.6.3)",
    broken: (head, { pseudonym }) =>
      head.has(headerId.via) && visits(head.list(headerId.via) as string, pseudonym) >= VISITS_MAX,
  },
];

/** Checks a request against every rule and says where it goes. */
export function judge(head: RequestHead, limits: RequestLimits): Judgement {
  for (const { broken, name, status, reason } of requestRules) {
    if (broken(head, limits)) return { ok: false, refusal: { status, rule: name, reason } };
  }
  const target = destinationOf(head.method, head.target) as Destination;
  // An absolute target's authority replaces the Host, whatever that says (RFC 9112 section 3.2.2).
  return { ok: true, to: { path: target.path, host: target.host ?? head.value(headerId.host) } };
}

/** Max-Forwards says how many hops an OPTIONS may still go; at 0 it is answered here (RFC 9110 section 7.6.2). */
export function isLastForward(head: RequestHead): boolean {
  return head.method === "OPTIONS" && Number(head.value(headerId["max-forwards"]) ?? 1) === 0;
}

/** Upgrades of the hop itself, which a tier declines by ignoring them (RFC 9110 section 7.8); all others are somebody's protocol. */
const DECLINED = /^(?:h2c?|http\/|tls\/|evenkeel-link\/)/i;

/** Is it an upgrade that a tier passes on? */
export function isUpgrade(head: RequestHead): boolean {
  if (!head.upgrade || head.method === "CONNECT") return false;
  const protocols = (head.list(headerId.upgrade) ?? "").split(",").map((protocol) => protocol.trim());
  return protocols.some((protocol) => protocol !== "" && !DECLINED.test(protocol));
}

/** Origin-form, `*` for OPTIONS, or absolute-form made into one of those (RFC 9112 section 3.2). */
function destinationOf(method: string, target: string): Destination | undefined {
  if (target[0] === "/") return { path: target, host: undefined };
  if (target === "*") return method === "OPTIONS" ? { path: "*", host: undefined } : undefined;
  const absolute = /^https?:\/\/([^/?]*)(.*)$/is.exec(target);
  const [, host, rest] = absolute ?? [];
  if (host === undefined || rest === undefined || !HOST.test(host)) return undefined;
  if (rest === "") return { path: method === "OPTIONS" ? "*" : "/", host };
  return { path: rest.startsWith("/") ? rest : `/${rest}`, host };
}

/** How many headers a tier may have written. */
function written(head: RequestHead): number {
  let count = 0;
  for (let bits = head.seen & TIER_HEADERS; bits !== 0; bits &= bits - 1) count += 1;
  return count;
}

/** How long the lines are that a tier may have written. */
function writtenBytes(head: RequestHead): number {
  let bytes = 0;
  for (let line = 0; line < head.count; line += 1) {
    const id = head.idAt(line);
    if (id > 0 && id < 32 && (TIER_HEADERS & (1 << id)) !== 0) bytes += head.offsetOf(line + 1) - head.offsetOf(line);
  }
  return bytes;
}

function visits(via: string, pseudonym: string): number {
  if (!via.includes(pseudonym)) return 0;
  return via.split(",").filter((entry) => entry.trim().split(/\s+/)[1] === pseudonym).length;
}
