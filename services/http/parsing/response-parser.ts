// Pure. The heads of responses (RFC 9112 section 4). What a server sends is no more to be trusted than what a client does: a
// control character in its reason phrase is a fault like any other.

import { type Fault, faults } from "../message/faults.ts";
import { connectionWords, MessageHead } from "../message/message-head.ts";
import { CR, LF, SP, TEXT } from "./bytes.ts";
import type { Progress, Scan } from "./field-lines.ts";
import { HeadParser } from "./head-parser.ts";

export class ResponseHead extends MessageHead {
  status = 0;
  reason = "";
  reasonFrom = 0;
  reasonTo = 0;
}

const VERSION = Buffer.from("HTTP/1.");

export class ResponseParser extends HeadParser<ResponseHead> {
  protected override begin(): ResponseHead {
    return new ResponseHead();
  }

  protected override readFirstLine(scan: Scan, head: ResponseHead): Progress {
    const { bytes, base, end } = scan;
    const progress = readVersionAndStatus(scan, head);
    if (progress !== "whole") return progress;
    let { at } = scan;
    // A server that has no reason may leave out the space before it too.
    if (bytes[at] === SP) at += 1;
    else if (bytes[at] !== CR) return faults.statusLine;
    head.reasonFrom = at - base;
    while (at < end && TEXT[bytes[at] as number] === 1) at += 1;
    if (at === end) return "incomplete";
    head.reasonTo = at - base;
    if (bytes[at] !== CR) return bytes[at] === LF ? faults.lineEnd : faults.statusLine;
    if (at + 1 === end) return "incomplete";
    if (bytes[at + 1] !== LF) return faults.lineEnd;
    scan.at = at + 2;
    return "whole";
  }

  protected override judge(head: ResponseHead): Fault | undefined {
    head.reason = head.text.slice(head.reasonFrom, head.reasonTo);
    head.keepAlive = connectionWords(head).keepAlive;
    return undefined;
  }
}

/** `HTTP/1.1 200`, with at least one byte behind it, where the scan then stands. */
function readVersionAndStatus(scan: Scan, head: ResponseHead): Progress {
  const { bytes, at, end } = scan;
  for (let index = 0; index < 12; index += 1) {
    if (at + index === end) return "incomplete";
    if (!mayStandAt(index, bytes[at + index] as number)) return faults.statusLine;
  }
  if (at + 12 === end) return "incomplete";
  head.minor = (bytes[at + 7] as number) - 48;
  head.status = digit(bytes, at + 9) * 100 + digit(bytes, at + 10) * 10 + digit(bytes, at + 11);
  scan.at = at + 12;
  return "whole";
}

function mayStandAt(index: number, byte: number): boolean {
  if (index < 7) return byte === VERSION[index];
  if (index === 7) return byte === 48 || byte === 49;
  if (index === 8) return byte === SP;
  // A status is three digits, and the first is none below 1.
  return byte <= 57 && byte >= (index === 9 ? 49 : 48);
}

function digit(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) - 48;
}
