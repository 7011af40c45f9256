// Reads messages for the tests of the parsers: at once, cut into pieces, and in one word that says what came of it.

import type { Fault } from "../../services/http/message/faults.ts";
import type { HeadLimits } from "../../services/http/parsing/head-parser.ts";
import { type RequestHead, RequestParser } from "../../services/http/parsing/request-parser.ts";
import { type ResponseHead, ResponseParser } from "../../services/http/parsing/response-parser.ts";
import { Cursor } from "../../services/net/cursor.ts";

export const LIMITS: HeadLimits = { headBytesMax: 16_384, fieldsMax: 100 };

export interface ReadHead<Head> {
  readonly head: Head | undefined;
  readonly fault: Fault | undefined;
  /** Behind the head. */
  readonly rest: string;
}

/** Each piece stands in the middle of other bytes, and is overwritten behind the read. */
export function readRequest(pieces: readonly string[], limits = LIMITS): ReadHead<RequestHead> {
  return readWith(new RequestParser(limits), pieces);
}

export function readResponse(pieces: readonly string[], limits = LIMITS): ReadHead<ResponseHead> {
  return readWith(new ResponseParser(limits), pieces);
}

/** "incomplete", a fault's status and reason, or the head as text that shows all of it. */
export function outcomeOf({ head, fault, rest }: ReadHead<RequestHead | ResponseHead>): string {
  if (fault !== undefined) return `${fault.status} ${fault.rule}: ${fault.reason}`;
  if (head === undefined) return "incomplete";
  const { text, minor, keepAlive, seen, repeated, marks, count, fieldsFrom, fieldsTo, ...others } = head;
  return JSON.stringify({ headers: head.headers(), minor, keepAlive, seen, repeated, ...others, rest });
}

/** All ways of cutting a text in two. */
export function splitsOf(text: string): [string, string][] {
  return Array.from({ length: text.length - 1 }, (_, index) => [text.slice(0, index + 1), text.slice(index + 1)]);
}

export function cursorOf(piece: string): Cursor {
  const cursor = new Cursor(Buffer.from(`\r\n${piece}\r\nX: Y\r\n\r\n`, "latin1"));
  cursor.at = 2;
  cursor.end = 2 + piece.length;
  return cursor;
}

interface Reader<Head> {
  readonly head: Head | undefined;
  readonly fault: Fault | undefined;
  read(cursor: Cursor): void;
}

function readWith<Head>(parser: Reader<Head>, pieces: readonly string[]): ReadHead<Head> {
  let rest = "";
  for (const piece of pieces) {
    const cursor = cursorOf(piece);
    if (parser.head === undefined && parser.fault === undefined) parser.read(cursor);
    rest += cursor.bytes.toString("latin1", cursor.at, cursor.end);
    cursor.bytes.fill(0);
  }
  return { head: parser.head, fault: parser.fault, rest: parser.head === undefined ? "" : rest };
}
