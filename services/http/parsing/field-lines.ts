// Pure. Header lines, and trailers, from bytes (RFC 9112 section 5): strict, for whatever one parser forgives and another does not
// is a way to smuggle. No bare CR or LF, no folding, no space before the colon, no control character.

import { type Fault, faults } from "../message/faults.ts";
import { isForwarded, knownHeader } from "../message/known-headers.ts";
import { type MessageHead, STRIDE } from "../message/message-head.ts";
import { COLON, CR, HTAB, LF, SP, TEXT, TOKEN } from "./bytes.ts";

/** Where a head is being read; there is one, for nothing is read beside anything else. */
export class Scan {
  bytes: Uint8Array = new Uint8Array(0);
  /** The head's first byte; positions that are kept are counted from it. */
  base = 0;
  /** The line that is to be read next, from its beginning. */
  at = 0;
  end = 0;
  fieldsMax = 0;
}

export type Progress = "whole" | "incomplete" | Fault;

/** Reads lines up to the empty one, and notes them. A line that is not whole is read again from its beginning when more came. */
export function readFieldLines(scan: Scan, head: MessageHead): Progress {
  const { bytes, base, end } = scan;
  for (;;) {
    const nameFrom = scan.at;
    let at = nameFrom;
    if (at < end && bytes[at] === CR) return readEmptyLine(scan, head);
    at = skip(TOKEN, bytes, at, end);
    if (at === end) return "incomplete";
    if (at === nameFrom || bytes[at] !== COLON) return faults.fieldName;
    const nameTo = at;
    do at += 1;
    while (at < end && (bytes[at] === SP || bytes[at] === HTAB));
    const valueFrom = at;
    at = skip(TEXT, bytes, at, end);
    if (at === end) return "incomplete";
    if (bytes[at] !== CR) return bytes[at] === LF ? faults.lineEnd : faults.fieldValue;
    if (at + 1 === end) return "incomplete";
    if (bytes[at + 1] !== LF) return faults.lineEnd;
    let valueTo = at;
    while (valueTo > valueFrom && (bytes[valueTo - 1] === SP || bytes[valueTo - 1] === HTAB)) valueTo -= 1;
    if (head.count === scan.fieldsMax) return faults.fieldsTooMany;
    const id = knownHeader(bytes, nameFrom, nameTo);
    const { marks } = head;
    const mark = head.count * STRIDE;
    marks[mark] = id;
    marks[mark + 1] = nameFrom - base;
    marks[mark + 2] = nameTo - base;
    marks[mark + 3] = valueFrom - base;
    marks[mark + 4] = valueTo - base;
    head.saw(id);
    if (id === 0 && isForwarded(bytes, nameFrom, nameTo)) head.moreForwarded = true;
    scan.at = at + 2;
  }
}

/** @returns where the first byte stands that is none of these; else `end`. Four at a time, for fewer branches. */
export function skip(allowed: Uint8Array, bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  const last = end - 4;
  while (at <= last) {
    const all =
      (allowed[bytes[at] as number] as number) &
      (allowed[bytes[at + 1] as number] as number) &
      (allowed[bytes[at + 2] as number] as number) &
      (allowed[bytes[at + 3] as number] as number);
    if (all === 0) break;
    at += 4;
  }
  while (at < end && allowed[bytes[at] as number] === 1) at += 1;
  return at;
}

function readEmptyLine(scan: Scan, head: MessageHead): Progress {
  if (scan.at + 1 === scan.end) return "incomplete";
  if (scan.bytes[scan.at + 1] !== LF) return faults.lineEnd;
  head.fieldsTo = scan.at - scan.base;
  scan.at += 2;
  return "whole";
}
