// Pure. The one answer to what body a message has (RFC 9112 section 6.3). Two parsers that differ on this let one client's bytes
// become another's request, so whatever can be read in two ways is a fault.

import { type Fault, faults } from "./faults.ts";
import { headerId } from "./known-headers.ts";
import type { MessageHead } from "./message-head.ts";

export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  /** A response's alone. */
  | { readonly kind: "until-close" };

/** Either what body there is, or why nobody can say. */
export type Framed = Framing | { readonly kind: "fault"; readonly fault: Fault };

/** Up to 10^15 - 1 bytes, well below what a number holds exactly. */
const DIGITS_MAX = 15;
const FRAMED_BY = (1 << headerId["content-length"]) | (1 << headerId["transfer-encoding"]);

export const NONE: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };
const UNTIL_CLOSE: Framing = { kind: "until-close" };

export function requestFraming(head: MessageHead): Framed {
  if ((head.seen & FRAMED_BY) === 0) return NONE;
  // RFC 9112 section 6.1: an HTTP/1.0 sender knows no codings, so somebody on the way forwards blindly.
  if (head.minor === 0 && head.has(headerId["transfer-encoding"])) return fault(faults.codingIn10);
  return declared(head);
}

/** @param method of the request that it answers */
export function responseFraming(head: MessageHead, method: string, status: number): Framed {
  const bodiless = method === "HEAD" || status < 200 || status === 204 || status === 304;
  if (bodiless) return NONE;
  return (head.seen & FRAMED_BY) === 0 ? UNTIL_CLOSE : declared(head);
}

function declared(head: MessageHead): Framed {
  const codings = head.list(headerId["transfer-encoding"]);
  if (codings !== undefined) return coded(head, codings.toLowerCase());
  if ((head.repeated & (1 << headerId["content-length"])) !== 0) return fault(faults.lengthRepeated);
  const length = lengthOf(head.value(headerId["content-length"]) as string);
  return length < 0 ? fault(faults.lengthInvalid) : { kind: "length", length };
}

/** A Content-Length in bytes; -1 where it is none. Without a pattern and Number(), for it is asked of every message, twice. */
export function lengthOf(digits: string): number {
  if (digits === "" || digits.length > DIGITS_MAX) return -1;
  let length = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}

function coded(head: MessageHead, codings: string): Framed {
  if (head.has(headerId["content-length"])) return fault(faults.lengthAndCoding);
  if (codings === "chunked") return CHUNKED;
  return fault(/(?:^|,)[ \t]*chunked$/.test(codings) ? faults.codingUnknown : faults.codingEndless);
}

function fault(fault: Fault): Framed {
  return { kind: "fault", fault };
}
