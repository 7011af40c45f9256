// Pure. What a tier changes in the headers of a message that passes: what belongs to one connection is taken out, where it
// came from is written in, all else stays as it was, in its order and its case (RFC 9110 sections 5.3 and 7.6).
// Headers are flat lists, name, value, name, value, as node:http and undici both have them.

import { hasNoLength } from "../../http/framing.ts";
import { bracketed } from "../../runtime/address.ts";

/** Meant for one connection alone (RFC 9110 section 7.6.1); of `te`, "trailers" goes on, for trailersFor() keeps it. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Written by the first tier (RFC 7239, and what came before it). A client may send anything under these names. */
const FORWARDED: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "forwarded",
]);

/** What a trailer must never say (RFC 9110 section 6.5.1): framing, routing, authentication, payload processing. */
const NEVER_IN_TRAILERS: ReadonlySet<string> = new Set([
  "content-length",
  "content-encoding",
  "content-range",
  "content-type",
  "host",
  "authorization",
  "set-cookie",
  "cache-control",
]);

const ASKS_FOR_TRAILERS = /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i;

/** What this hop adds to a request, or takes from it. */
export interface RequestHop {
  /**
   * What becomes of what the peer says about where the request comes from: a client's word is overwritten, a trusted
   * balancer's is kept and the balancer added, a tier's of our own is kept.
   */
  readonly forwarded: "overwrite" | "append" | "keep";
  /** This tier's name in Via. */
  readonly pseudonym: string;
  /** The address of the peer. */
  readonly peer: string;
  /** Of the request's target, or of its Host; undefined only in HTTP/1.0. */
  readonly host: string | undefined;
  readonly method: string;
  readonly httpVersion: string;
  /** Called where the request brings none. */
  readonly requestId: () => string;
  readonly traceparent: () => string;
}

/** The request's headers as the member gets them. */
export function requestHeaders(raw: readonly string[], hop: RequestHop): string[] {
  const named = connectionNames(raw);
  // Of the target or of Host, never to be named away by Connection: without it the member would choose a site of its own.
  const headers: string[] = hop.host === undefined ? [] : ["Host", hop.host];
  const before = new Map<string, string>();
  let via: string | undefined;
  let requestId = false;
  let trace = false;
  eachHeader(raw, (name, value, lower) => {
    if (lower === "te" && ASKS_FOR_TRAILERS.test(value)) headers.push(name, "trailers");
    // An Expect is the attempt's to send or to answer (RFC 9110 section 10.1.1).
    if (HOP_BY_HOP.has(lower) || named.has(lower) || lower === "host" || lower === "expect") return;
    if (lower === "max-forwards" && hop.method === "OPTIONS") {
      headers.push(name, String(Number(value) - 1));
      return;
    }
    if (hop.forwarded !== "keep" && FORWARDED.has(lower)) {
      if (hop.forwarded === "append") before.set(lower, join(before.get(lower), value));
      return;
    }
    if (lower === "via") {
      via = join(via, value);
      return;
    }
    requestId ||= lower === "x-request-id";
    trace ||= lower === "traceparent";
    headers.push(name, value);
  });
  if (hop.forwarded !== "keep") headers.push(...forwardedHeaders(before, hop));
  if (!requestId) headers.push("X-Request-Id", hop.requestId());
  if (!trace) headers.push("traceparent", hop.traceparent());
  headers.push("Via", join(via, `${hop.httpVersion} ${hop.pseudonym}`));
  return headers;
}

/** What this hop adds to a response. */
export interface ResponseHop {
  /** This tier's name in Via. */
  readonly pseudonym: string;
  /** The member that answered; undefined when a tier behind us has already said who did. */
  readonly servedBy: string | undefined;
  /** How many attempts it took at this tier. */
  readonly attempts: number;
  /** A Set-Cookie of our own, for a sticky session. */
  readonly cookie: string | undefined;
}

/** The member's response headers as the client gets them. */
export function responseHeaders(raw: readonly string[], hop: ResponseHop & { readonly status: number }): string[] {
  const { pseudonym, servedBy, status, attempts, cookie } = hop;
  const lengthless = hasNoLength(status);
  const named = connectionNames(raw);
  const headers: string[] = [];
  let via: string | undefined;
  eachHeader(raw, (name, value, lower) => {
    if (HOP_BY_HOP.has(lower) || named.has(lower)) return;
    if (servedBy !== undefined && lower === "x-served-by") return;
    if (lengthless && lower === "content-length") return;
    if (lower === "via") via = join(via, value);
    else headers.push(name, value);
  });
  if (servedBy !== undefined) headers.push("X-Served-By", servedBy);
  if (cookie !== undefined) headers.push("Set-Cookie", cookie);
  if (attempts > 1) headers.push("X-LB-Attempts", String(attempts));
  headers.push("Via", join(via, `1.1 ${pseudonym}`));
  return headers;
}

/** The trailers that a client gets, as pairs: none unless it said `TE: trailers` (RFC 9110 section 6.5.1), and never merged. */
export function trailersFor(request: readonly string[], trailers: readonly string[]): [string, string][] {
  if (trailers.length === 0 || !ASKS_FOR_TRAILERS.test(headerValue(request, "te") ?? "")) return [];
  const pairs: [string, string][] = [];
  eachHeader(trailers, (name, value, lower) => {
    if (!HOP_BY_HOP.has(lower) && !NEVER_IN_TRAILERS.has(lower)) pairs.push([name, value]);
  });
  return pairs;
}

/** The value of the first header with this lower-case name. */
export function headerValue(raw: readonly string[], wanted: string): string | undefined {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    if ((raw[index] as string).toLowerCase() === wanted) return raw[index + 1];
  }
  return undefined;
}

/**
 * What a Connection header names is for this connection too. Taken out before anything of ours is put in: a client that
 * sends `Connection: X-Forwarded-For` must not be able to strike what we write (RFC 9110 section 7.6.1).
 */
function connectionNames(raw: readonly string[]): ReadonlySet<string> {
  const names = new Set<string>();
  eachHeader(raw, (_name, value, lower) => {
    if (lower !== "connection" && lower !== "proxy-connection") return;
    for (const token of value.split(",")) names.add(token.trim().toLowerCase());
  });
  return names;
}

/** The forwarded headers as they go on: the peer's address behind those before it; of the rest, the first value stands. */
function forwardedHeaders(before: ReadonlyMap<string, string>, { peer, host }: RequestHop): string[] {
  const node = peer.includes(":") ? `"${bracketed(peer)}"` : peer;
  const hop = host === undefined ? `for=${node};proto=http` : `for=${node};host="${host}";proto=http`;
  const forwardedHost = before.get("x-forwarded-host") ?? host;
  return [
    ...["X-Forwarded-For", join(before.get("x-forwarded-for"), peer)],
    ...["X-Forwarded-Proto", before.get("x-forwarded-proto") ?? "http"],
    ...(forwardedHost === undefined ? [] : ["X-Forwarded-Host", forwardedHost]),
    ...["Forwarded", join(before.get("forwarded"), hop)],
  ];
}

/** A list header with one more at its end (RFC 9110 section 5.3). */
function join(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list}, ${value}`;
}

function eachHeader(raw: readonly string[], visit: (name: string, value: string, lower: string) => void): void {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    visit(name, raw[index + 1] as string, name.toLowerCase());
  }
}
