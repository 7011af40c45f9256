// Pure. What a request must be before it is forwarded: a table of rules, each with its section of the RFC or its attack.
// node:http has already refused what its parser cannot read; these are the requests it lets through and a proxy must not.

import { contentLength, transferCodings } from "../../http/framing.ts";

export interface RequestHead {
  readonly method: string;
  /** As on the request line. */
  readonly target: string;
  /** "1.1" and so on. */
  readonly httpVersion: string;
  /** Flat: name, value, name, value. */
  readonly rawHeaders: readonly string[];
}

export interface Refusal {
  readonly status: number;
  /** The rule's name, for X-LB-Error. */
  readonly rule: string;
  /** One line for whoever sent it. */
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
  readonly headersMax: number;
  /** 0: any size. */
  readonly bodyBytesMax: number;
}

/** What the rules look at, read from the head once. */
interface HeadFields {
  readonly head: RequestHead;
  readonly hosts: readonly string[];
  readonly codings: readonly string[];
  /** Content-Length, in bytes. */
  readonly length: number;
  readonly via: string;
  readonly maxForwards: string | undefined;
  readonly expect: string | undefined;
  readonly limits: RequestLimits;
}

interface Rule {
  readonly name: string;
  readonly status: number;
  readonly reason: string;
  readonly broken: (fields: HeadFields) => boolean;
}

/** uri-host with an optional port (RFC 9110 section 7.2); no comma, by which two joined Hosts would show. */
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(?::\d{0,5})?$/;
/** How often a request may come past us: a chain of stacks with the same names is no loop yet, a third time is. */
const VISITS_MAX = 2;

/** In the order in which they are checked: first how to read the message at all, then what it asks. */
export const requestRules: readonly Rule[] = [
  {
    // llhttp reads `GET /x` and even headers and a body behind it as HTTP/0.9 (nodejs/llhttp#877): a smuggler's gift.
    name: "http-version-unreadable",
    status: 400,
    reason: "the request line names no HTTP/1 version (RFC 9112 section 2.3)",
    broken: ({ head }) => head.httpVersion.startsWith("0."),
  },
  {
    name: "http-version",
    status: 505,
    reason: "only HTTP/1.0 and HTTP/1.1 are understood (RFC 9110 section 15.6.6)",
    broken: ({ head }) => head.httpVersion !== "1.1" && head.httpVersion !== "1.0",
  },
  {
    name: "transfer-encoding-in-1.0",
    status: 400,
    reason: "Transfer-Encoding in an HTTP/1.0 message is faulty framing (RFC 9112 section 6.1)",
    broken: ({ head, codings }) => head.httpVersion === "1.0" && codings.length > 0,
  },
  {
    // We would strip the framing of a coding that we do not know, and forward what is inside as if it were the body.
    name: "transfer-coding",
    status: 501,
    reason: "no transfer coding but chunked is understood (RFC 9112 section 6.1)",
    broken: ({ codings }) => codings.length > 0 && !(codings.length === 1 && codings[0] === "chunked"),
  },
  {
    name: "host-repeated",
    status: 400,
    reason: "there is more than one Host (RFC 9112 section 3.2)",
    broken: ({ hosts }) => hosts.length > 1,
  },
  {
    name: "host-missing",
    status: 400,
    reason: "there is no Host (RFC 9112 section 3.2)",
    broken: ({ head, hosts }) => head.httpVersion === "1.1" && hosts.length === 0,
  },
  {
    name: "host-invalid",
    status: 400,
    reason: "the Host is no host name with an optional port (RFC 9112 section 3.2)",
    broken: ({ hosts }) => hosts.length === 1 && !HOST.test(hosts[0] as string),
  },
  {
    name: "trace",
    status: 405,
    reason: "TRACE is refused: it would echo credentials and what proxies add (RFC 9110 section 9.3.8)",
    broken: ({ head }) => head.method === "TRACE",
  },
  {
    // node:http would drop what is past its own limit, and forward the rest as if that were all.
    name: "headers",
    status: 431,
    reason: "there are too many headers (RFC 6585 section 5)",
    broken: ({ head, limits }) => head.rawHeaders.length / 2 > limits.headersMax,
  },
  {
    name: "body-too-large",
    status: 413,
    reason: "the body is larger than is taken here (RFC 9110 section 15.5.14)",
    broken: ({ length, limits }) => limits.bodyBytesMax > 0 && length > limits.bodyBytesMax,
  },
  {
    // A fragment is not sent (RFC 9112 section 3.2.1); where one is, two parsers would cut the target differently.
    name: "target",
    status: 400,
    reason: "the request target is none that a proxy may forward (RFC 9112 section 3.2)",
    broken: ({ head }) => destinationOf(head.method, head.target) === undefined,
  },
  {
    name: "max-forwards",
    status: 400,
    reason: "Max-Forwards is no whole number (RFC 9110 section 7.6.2)",
    broken: ({ head, maxForwards }) =>
      head.method === "OPTIONS" && maxForwards !== undefined && !/^\d{1,9}$/.test(maxForwards),
  },
  {
    name: "expectation",
    status: 417,
    reason: "the only expectation understood is 100-continue (RFC 9110 section 10.1.1)",
    broken: ({ expect }) => expect !== undefined && expect.toLowerCase() !== "100-continue",
  },
  {
    name: "loop",
    status: 508,
    reason: "the request has come past here before: a server of this tier leads back to it (RFC 9110 section 7.6.3)",
    broken: ({ via, limits }) => visits(via, limits.pseudonym) >= VISITS_MAX,
  },
];

/** Checks a request against every rule and says where it goes. */
export function judge(head: RequestHead, limits: RequestLimits): Judgement {
  const fields = fieldsOf(head, limits);
  for (const { broken, name, status, reason } of requestRules) {
    if (broken(fields)) return { ok: false, refusal: { status, rule: name, reason } };
  }
  const target = destinationOf(head.method, head.target) as Destination;
  // An absolute target's authority replaces the Host, whatever that says (RFC 9112 section 3.2.2).
  return { ok: true, to: { path: target.path, host: target.host ?? fields.hosts[0] } };
}

/** Origin-form, `*` for OPTIONS, or absolute-form made into one of those (RFC 9112 section 3.2). */
function destinationOf(method: string, target: string): Destination | undefined {
  if (target.includes("#")) return undefined;
  if (target.startsWith("/")) return { path: target, host: undefined };
  if (target === "*") return method === "OPTIONS" ? { path: "*", host: undefined } : undefined;
  const absolute = /^https?:\/\/([^/?]*)(.*)$/is.exec(target);
  const [, host, rest] = absolute ?? [];
  if (host === undefined || rest === undefined || !HOST.test(host)) return undefined;
  if (rest === "") return { path: method === "OPTIONS" ? "*" : "/", host };
  return { path: rest.startsWith("/") ? rest : `/${rest}`, host };
}

function fieldsOf(head: RequestHead, limits: RequestLimits): HeadFields {
  const hosts: string[] = [];
  let via = "";
  let maxForwards: string | undefined;
  let expect: string | undefined;
  for (let index = 0; index + 1 < head.rawHeaders.length; index += 2) {
    const value = head.rawHeaders[index + 1] as string;
    switch ((head.rawHeaders[index] as string).toLowerCase()) {
      case "host":
        hosts.push(value);
        break;
      case "via":
        via = `${via},${value}`;
        break;
      case "max-forwards":
        maxForwards = maxForwards === undefined ? value : `${maxForwards}, ${value}`;
        break;
      case "expect":
        expect = expect === undefined ? value : `${expect}, ${value}`;
        break;
    }
  }
  const codings = transferCodings(head.rawHeaders);
  const length = contentLength(head.rawHeaders);
  return { head, limits, hosts, codings, length, via, maxForwards, expect };
}

function visits(via: string, pseudonym: string): number {
  if (via === "") return 0;
  return via.split(",").filter((entry) => entry.trim().split(/\s+/)[1] === pseudonym).length;
}
