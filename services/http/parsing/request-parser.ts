// Pure. The heads of requests (RFC 9112 section 3), with all that makes them readable in one way only: version, method, Host, body.
// The target stays as it came; what its form means is for others to say.

import { type Fault, faults } from "../message/faults.ts";
import { NONE, requestFraming } from "../message/framing.ts";
import { headerId } from "../message/known-headers.ts";
import { connectionWords, MessageHead } from "../message/message-head.ts";
import { CR, LF, SP, TARGET, TOKEN } from "./bytes.ts";
import { type Progress, type Scan, skip } from "./field-lines.ts";
import { HeadParser } from "./head-parser.ts";

export class RequestHead extends MessageHead {
  method = "";
  /** As on the request line. */
  target = "";
  framing = NONE;
  /** Does the client wait for a 100 (Continue) before it sends its body? HTTP/1.0 knows none (RFC 9110 section 10.1.1). */
  expectsContinue = false;
  /** May the connection become another protocol's behind this request: does it ask for that, and has it no body? */
  upgrade = false;
  methodFrom = 0;
  methodTo = 0;
  targetFrom = 0;
  targetTo = 0;
}

/** Methods of RFC 9110 and RFC 5789. Any other token is a method too, but for these in another case. */
const METHODS: ReadonlySet<string> = new Set([
  ...["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"],
]);

const USUAL = ["GET", "POST", "HEAD", "PUT"] as const;

/**
 * uri-host with an optional port (RFC 9110 section 7.2); no comma, by which two joined Hosts would show. A name has at most 255 bytes
 * (RFC 1035 section 2.3.4).
 */
export const HOST = /^(?:\[[0-9a-fA-F:.]{1,45}\]|[A-Za-z0-9._~!$&'()*+;=%-]{1,255})(?::\d{0,5})?$/;

export class RequestParser extends HeadParser<RequestHead> {
  protected override begin(): RequestHead {
    return new RequestHead();
  }

  protected override readFirstLine(scan: Scan, head: RequestHead): Progress {
    const { bytes, base, end } = scan;
    // Some clients end a body with a line too many (RFC 9112 section 2.2).
    while (scan.at + 1 < end && bytes[scan.at] === CR && bytes[scan.at + 1] === LF) scan.at += 2;
    let at = scan.at;
    head.methodFrom = at - base;
    while (at < end && TOKEN[bytes[at] as number] === 1) at += 1;
    if (at === end || (at === scan.at && bytes[at] === CR && at + 1 === end)) return "incomplete";
    if (at === scan.at || bytes[at] !== SP) return faults.requestLine;
    head.methodTo = at - base;
    while (at < end && bytes[at] === SP) at += 1;
    head.targetFrom = at - base;
    at = skip(TARGET, bytes, at, end);
    if (at === end) return "incomplete";
    head.targetTo = at - base;
    scan.at = at;
    if (bytes[at] === CR) return readEarlyEnd(scan);
    if (bytes[at] !== SP) return faults.target;
    if (head.targetTo === head.targetFrom) return faults.requestLine;
    scan.at += 1;
    return readVersion(scan, head);
  }

  protected override firstLineTooLong(): Fault {
    return faults.targetTooLong;
  }

  protected override judge(head: RequestHead): Fault | undefined {
    head.method = methodOf(head);
    head.target = head.text.slice(head.targetFrom, head.targetTo);
    const framed = requestFraming(head);
    if (framed.kind === "fault") return framed.fault;
    head.framing = framed;
    const words = connectionWords(head);
    head.keepAlive = words.keepAlive;
    head.expectsContinue = head.minor === 1 && head.has(headerId.expect) && expectsContinue(head);
    head.upgrade = head.method === "CONNECT" || (words.upgrade && mayUpgrade(head));
    return methodFault(head.method) ?? hostFault(head);
  }
}

/** `GET /x` without a version: only what follows makes it sure that nothing more will come on the line. */
function readEarlyEnd({ bytes, at, end }: Scan): Progress {
  return at + 2 < end ? (bytes[at + 1] === LF ? faults.versionUnreadable : faults.lineEnd) : "incomplete";
}

const VERSION = Buffer.from("HTTP/");

function readVersion(scan: Scan, head: RequestHead): Progress {
  const { bytes, at, end } = scan;
  for (let index = 0; index < VERSION.length; index += 1) {
    if (at + index === end) return "incomplete";
    if (bytes[at + index] !== VERSION[index]) return faults.requestLine;
  }
  const have = end - at;
  if (have > 5 && !isDigit(bytes[at + 5])) return faults.requestLine;
  if (have > 6 && bytes[at + 6] !== 46) return faults.requestLine;
  if (have > 7 && !isDigit(bytes[at + 7])) return faults.requestLine;
  if (have > 8 && bytes[at + 8] !== CR) return bytes[at + 8] === LF ? faults.lineEnd : faults.requestLine;
  if (have < 10) return "incomplete";
  if (bytes[at + 9] !== LF) return faults.lineEnd;
  const major = (bytes[at + 5] as number) - 48;
  head.minor = (bytes[at + 7] as number) - 48;
  if (major === 0) return faults.versionUnreadable;
  if (major !== 1 || head.minor > 1) return faults.version;
  scan.at = at + 10;
  return "whole";
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}

function expectsContinue(head: RequestHead): boolean {
  return head.list(headerId.expect)?.toLowerCase() === "100-continue";
}

/** What a body would mean before the protocol changes, only HTTP knows; so such a request is left to HTTP. */
function mayUpgrade(head: RequestHead): boolean {
  const { framing } = head;
  const hasBody = framing.kind === "chunked" || (framing.kind === "length" && framing.length > 0);
  return head.minor === 1 && head.has(headerId.upgrade) && !hasBody;
}

/** The usual ones as one and the same string each: what is cut out of a text has to be hashed for each set that it is looked up in. */
function methodOf({ text, methodFrom, methodTo }: RequestHead): string {
  const length = methodTo - methodFrom;
  for (const usual of USUAL) if (usual.length === length && text.startsWith(usual, methodFrom)) return usual;
  return text.slice(methodFrom, methodTo);
}

function methodFault(method: string): Fault | undefined {
  if (METHODS.has(method)) return undefined;
  return METHODS.has(method.toUpperCase()) ? faults.methodCase : undefined;
}

/** The last one that was looked at and found to be one: most requests come for the same. */
let knownHost = "";

function hostFault(head: RequestHead): Fault | undefined {
  if (!head.has(headerId.host)) return head.minor === 1 ? faults.hostMissing : undefined;
  if ((head.repeated & (1 << headerId.host)) !== 0) return faults.hostRepeated;
  const host = head.value(headerId.host) as string;
  if (host === knownHost) return undefined;
  if (!HOST.test(host)) return faults.hostInvalid;
  knownHost = host;
  return undefined;
}
