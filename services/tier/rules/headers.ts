// Pure. What a tier changes in the headers of a message that passes: what belongs to one connection is taken out, where it came from is
// written in, all else stays as it was, in its order and its case (RFC 9110 sections 5.3 and 7.6).

import { type Fields, linesWithout } from "../../http/message/fields.ts";
import { lengthOf } from "../../http/message/framing.ts";
import { bitsOf, type HeaderName, headerId, headerNames } from "../../http/message/known-headers.ts";
import type { MessageHead } from "../../http/message/message-head.ts";
import type { RequestHead } from "../../http/parsing/request-parser.ts";
import type { ResponseHead } from "../../http/parsing/response-parser.ts";
import { bracketed } from "../../runtime/address.ts";
import { continuesTrace, hasTracestate } from "./trace-context.ts";

/** Meant for one connection alone (RFC 9110 section 7.6.1). Of `TE`, "trailers" goes on, for trailersFor() keeps it. */
const HOP_BY_HOP = bitsOf(
  ...(["connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"] as const),
  ...(["te", "trailer", "transfer-encoding", "upgrade", "http2-settings"] as const),
);

/** Written by the first tier (RFC 7239, and what came before it). A client may send anything under these names. */
const FORWARDED = bitsOf("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded");
/** What else frameworks believe of where a request comes from, as they do any other X-Forwarded-... No tier of ours writes them. */
const BELIEVED = bitsOf(
  ...(["x-forwarded-port", "x-forwarded-prefix", "x-forwarded-server", "x-forwarded-scheme", "x-real-ip"] as const),
);

const FORWARDED_PREFIX = "x-forwarded-";

/** A trusted peer may say more than we write. */
const STRUCK = { overwrite: FORWARDED | BELIEVED, append: FORWARDED, keep: 0 } as const;
/** What the tier writes anew, or passes on in a form of its own. */
const REQUEST_WRITTEN = HOP_BY_HOP | bitsOf("host", "expect", "via");
const RESPONSE_WRITTEN = HOP_BY_HOP | bitsOf("via");
const LENGTH = bitsOf("content-length");
const TRACEPARENT = bitsOf("traceparent");
const CONNECTION = bitsOf("connection", "proxy-connection");
/** A server's word on what only a tier can know. */
export const MARKS = ["x-served-by", "x-lb-error", "x-lb-left", "x-lb-attempts"] as const satisfies HeaderName[];
const MARKED = bitsOf(...MARKS);

/** What a trailer must never say (RFC 9110 section 6.5.1): framing, routing, authentication, payload processing. */
const NEVER_IN_TRAILERS: ReadonlySet<string> = new Set([
  ...["content-length", "content-encoding", "content-range", "content-type", "host", "authorization", "set-cookie"],
  ...["cache-control", "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization"],
  ...["te", "trailer", "transfer-encoding", "upgrade", "http2-settings"],
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
  /** Called where the request brings none, or no trace that can be continued. */
  readonly requestId: () => string;
  readonly traceparent: () => string;
}

/** The request's header lines as the member gets them. */
export function requestFields(head: RequestHead, hop: RequestHop): Fields {
  // Of the target or of Host, never to be named away by Connection: without it the member would choose a site of its own.
  const host = hop.host === undefined ? "" : `Host: ${hop.host}\r\n`;
  const edge = hop.forwarded !== "keep";
  const traced = !edge || continuesTrace(head);
  const strikes = REQUEST_WRITTEN | STRUCK[hop.forwarded] | (traced ? 0 : TRACEPARENT);
  const connection = connectionNames(head);
  const named = traced || !hasTracestate(head) ? connection : new Set(connection).add("tracestate");
  const passed =
    host + passedLines(head, { strikes, named, edge, believed: hop.forwarded !== "overwrite" }) + kept(head);
  const forwarded = hop.forwarded === "keep" ? "" : forwardedLines(head, hop);
  const id = brings(head, headerId["x-request-id"], named) ? "" : `X-Request-Id: ${hop.requestId()}\r\n`;
  const continued = traced && brings(head, headerId.traceparent, named);
  const trace = continued ? "" : `traceparent: ${hop.traceparent()}\r\n`;
  const via = brings(head, headerId.via, named) ? `${head.list(headerId.via)}, ` : "";
  const text = `${passed}${forwarded}${id}${trace}Via: ${via}1.${head.minor} ${hop.pseudonym}\r\n`;
  const { framing } = head;
  return {
    text,
    length: framing.kind === "length" && brings(head, headerId["content-length"], named) ? framing.length : -1,
  };
}

/** Is there such a header, and is it for more than this connection? @param named by Connection */
function brings(head: MessageHead, id: number, named: ReadonlySet<string> | undefined): boolean {
  return head.has(id) && !named?.has(headerNames[id] as string);
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
  /** Called where the response brings none: whoever forwards it has to add one (RFC 9110 section 6.6.1). */
  readonly date: () => string;
}

/** The member's header lines as the client gets them. */
export function responseFields(head: ResponseHead, hop: ResponseHop): Fields {
  const { pseudonym, servedBy, attempts, cookie, date } = hop;
  // RFC 9110 section 8.6: neither has a length; one that says so would desynchronise the connection.
  const lengthless = head.status < 200 || head.status === 204;
  const strikes = RESPONSE_WRITTEN | (servedBy === undefined ? 0 : MARKED) | (lengthless ? LENGTH : 0);
  const named = connectionNames(head);
  let text = passedLines(head, { strikes, named, edge: false, believed: true });
  if (head.status >= 200 && head.value(headerId.date) === undefined) text += `Date: ${date()}\r\n`;
  if (servedBy !== undefined) text += `X-Served-By: ${servedBy}\r\n`;
  if (cookie !== undefined) text += `Set-Cookie: ${cookie}\r\n`;
  if (attempts > 1) text += `X-LB-Attempts: ${attempts}\r\n`;
  const via = brings(head, headerId.via, named) ? `${head.list(headerId.via)}, ` : "";
  // By what is sent, not by what came: a server may have had Content-Length struck by naming it in Connection.
  const hasLength = !lengthless && brings(head, headerId["content-length"], named);
  const length = hasLength ? lengthOf(head.value(headerId["content-length"]) as string) : -1;
  return { text: `${text}Via: ${via}1.1 ${pseudonym}\r\n`, length };
}

/** The trailers that a client gets, flat: none unless it said `TE: trailers` (RFC 9110 section 6.5.1), and never merged. */
export function trailersFor(request: RequestHead, trailers: readonly string[]): readonly string[] {
  if (trailers.length === 0 || !asksForTrailers(request)) return [];
  const passed: string[] = [];
  for (let index = 0; index + 1 < trailers.length; index += 2) {
    const [name, value] = [trailers[index] as string, trailers[index + 1] as string];
    if (!NEVER_IN_TRAILERS.has(name.toLowerCase())) passed.push(name, value);
  }
  return passed;
}

function asksForTrailers(head: MessageHead): boolean {
  return head.has(headerId.te) && ASKS_FOR_TRAILERS.test(head.list(headerId.te) as string);
}

/** What goes on in a form of its own: that trailers are read, and how many hops an OPTIONS may still go. */
function kept(head: RequestHead): string {
  return asksForTrailers(head) ? "TE: trailers\r\n" : "";
}

interface Passing {
  /** A bit for each name that does not pass. */
  readonly strikes: number;
  /** Names that do not pass either, in lower case. */
  readonly named: ReadonlySet<string> | undefined;
  readonly edge: boolean;
  /** Does every X-Forwarded-... pass that is not written anew? */
  readonly believed: boolean;
}

/**
 * The lines that pass. What a Connection header names is for this connection too. It is taken out before anything of ours is put in: a
 * client that sends `Connection: X-Forwarded-For` must not be able to strike what we write (RFC 9110 section 7.6.1).
 */
function passedLines(head: MessageHead, { strikes, named, edge, believed }: Passing): string {
  const folded = edge && head.text.includes("_");
  const moreForwarded = head.moreForwarded && !believed;
  const hops = head.has(headerId["max-forwards"]) && "method" in head && head.method === "OPTIONS";
  if (named === undefined && !folded && !moreForwarded && !hops) return linesWithout(head, strikes);
  let lines = "";
  for (let line = 0; line < head.count; line += 1) {
    const id = head.idAt(line);
    const name = head.lowerNameAt(line);
    if ((id > 0 && id < 32 && (strikes & (1 << id)) !== 0) || named?.has(name)) continue;
    if (moreForwarded && name.startsWith(FORWARDED_PREFIX)) continue;
    if (folded && isFolded(name, { strikes, believed })) continue;
    const value = hops && id === headerId["max-forwards"] ? String(Number(head.valueAt(line)) - 1) : head.valueAt(line);
    lines += `${head.nameAt(line)}: ${value}\r\n`;
  }
  return lines;
}

/** A WSGI or CGI application reads X_Forwarded_For as X-Forwarded-For (RFC 3875 section 4.1.18). */
function isFolded(name: string, { strikes, believed }: Pick<Passing, "strikes" | "believed">): boolean {
  if (!name.includes("_")) return false;
  const read = name.replaceAll("_", "-");
  if (!believed && read.startsWith(FORWARDED_PREFIX)) return true;
  const id = headerId[read as HeaderName] as number | undefined;
  return id !== undefined && id > 0 && id < 32 && (strikes & (1 << id)) !== 0;
}

/** Those beside the usual words, in lower case; undefined: none. */
function connectionNames(head: MessageHead): ReadonlySet<string> | undefined {
  if ((head.seen & CONNECTION) === 0) return undefined;
  const both = (head.seen & CONNECTION) === CONNECTION;
  const list =
    (head.list(headerId.connection) ?? "") + (both ? "," : "") + (head.list(headerId["proxy-connection"]) ?? "");
  if (list === "keep-alive" || list === "close" || list === "Keep-Alive" || list === "Upgrade") return undefined;
  return new Set(list.split(",").map((token) => token.trim().toLowerCase()));
}

/** The forwarded headers as they go on: the peer's address behind those before it; of the rest, the first value stands. */
function forwardedLines(head: RequestHead, { peer, host, forwarded }: RequestHop): string {
  const before = (name: HeaderName) =>
    forwarded === "append" && head.has(headerId[name]) ? head.list(headerId[name]) : undefined;
  const node = peer.includes(":") ? `"${bracketed(peer)}"` : peer;
  const hop = host === undefined ? `for=${node};proto=http` : `for=${node};host="${host}";proto=http`;
  const forwardedHost = before("x-forwarded-host") ?? host;
  return (
    `X-Forwarded-For: ${joined(before("x-forwarded-for"), peer)}\r\n` +
    `X-Forwarded-Proto: ${before("x-forwarded-proto") ?? "http"}\r\n` +
    (forwardedHost === undefined ? "" : `X-Forwarded-Host: ${forwardedHost}\r\n`) +
    `Forwarded: ${joined(before("forwarded"), hop)}\r\n`
  );
}

/** A list header with one more at its end (RFC 9110 section 5.3). */
function joined(list: string | undefined, value: string): string {
  return list === undefined ? value : `${list}, ${value}`;
}
