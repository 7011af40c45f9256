// Pure. Takes the chunks of a body apart (RFC 9112 section 7.1), a stretch of data at a time. Extensions are read and dropped,
// trailers are kept apart from headers. Strict, as a chunk that two parsers end at different bytes hides a request.

import type { Cursor } from "../../net/cursor.ts";
import { type Fault, faults } from "../message/faults.ts";
import { headerId } from "../message/known-headers.ts";
import { MessageHead } from "../message/message-head.ts";
import { CR, HEX, LF, SEMICOLON, TEXT } from "./bytes.ts";
import type { Progress } from "./field-lines.ts";
import { type HeadLimits, HeadParser } from "./head-parser.ts";

/** Of one body, all chunks together. */
const EXTENSION_BYTES_MAX = 16_384;
const SIZE_DIGITS_MAX = 16;

type State = "size" | "extension" | "size-lf" | "data" | "data-cr" | "data-lf" | "trailers";

export class ChunkedDecoder {
  done = false;
  fault: Fault | undefined;
  /** Flat, and only known once it is done. */
  trailers: readonly string[] = [];
  /** What the last read found of the body: empty if nothing. */
  dataFrom = 0;
  dataTo = 0;
  readonly #limits: HeadLimits;
  #state: State = "size";
  #left = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailers: TrailerParser | undefined;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Reads up to the end of a stretch of data, of the body, or of what has come. */
  read(cursor: Cursor): void {
    this.dataFrom = 0;
    this.dataTo = 0;
    while (cursor.at < cursor.end && !this.done && this.fault === undefined) {
      if (this.#state === "data") {
        this.#readData(cursor);
        return;
      }
      if (this.#state === "trailers") this.#readTrailers(cursor);
      else this.#readByte(cursor);
    }
  }

  #readData(cursor: Cursor): void {
    const count = Math.min(this.#left, cursor.left);
    this.dataFrom = cursor.at;
    cursor.at += count;
    this.dataTo = cursor.at;
    this.#left -= count;
    if (this.#left === 0) this.#state = "data-cr";
  }

  #readByte(cursor: Cursor): void {
    const byte = cursor.bytes[cursor.at] as number;
    cursor.at += 1;
    switch (this.#state) {
      case "size":
        this.#readSize(byte);
        break;
      case "extension":
        this.#readExtension(byte);
        break;
      case "size-lf":
        if (byte !== LF) this.fault = faults.lineEnd;
        else this.#state = this.#left === 0 ? "trailers" : "data";
        break;
      case "data-cr":
        if (byte !== CR) this.fault = faults.chunkEnd;
        else this.#state = "data-lf";
        break;
      case "data-lf":
        if (byte !== LF) this.fault = faults.chunkEnd;
        this.#digits = 0;
        this.#state = "size";
        break;
    }
  }

  #readSize(byte: number): void {
    const digit = HEX[byte] as number;
    if (digit >= 0) {
      this.#left = this.#left * 16 + digit;
      this.#digits += 1;
      if (this.#digits > SIZE_DIGITS_MAX || this.#left > Number.MAX_SAFE_INTEGER) this.fault = faults.chunkSize;
    } else if (this.#digits === 0) this.fault = faults.chunkSize;
    else if (byte === CR) this.#state = "size-lf";
    else if (byte === SEMICOLON) this.#state = "extension";
    else this.fault = faults.chunkSize;
  }

  #readExtension(byte: number): void {
    this.#extensionBytes += 1;
    if (byte === CR) this.#state = "size-lf";
    else if (TEXT[byte] !== 1) this.fault = faults.chunkExtension;
    else if (this.#extensionBytes > EXTENSION_BYTES_MAX) this.fault = faults.chunkExtensionsTooLong;
  }

  #readTrailers(cursor: Cursor): void {
    const { bytes, at } = cursor;
    if (this.#trailers === undefined && cursor.left > 1 && bytes[at] === CR && bytes[at + 1] === LF) {
      cursor.at += 2;
      this.done = true;
      return;
    }
    this.#trailers ??= new TrailerParser(this.#limits);
    this.#trailers.read(cursor);
    this.fault = this.#trailers.fault;
    this.trailers = this.#trailers.head?.headers() ?? [];
    this.done = this.#trailers.head !== undefined;
  }
}

/** Trailers are a head without a first line. */
class TrailerParser extends HeadParser<MessageHead> {
  protected override begin(): MessageHead {
    return new MessageHead();
  }

  protected override readFirstLine(): Progress {
    return "whole";
  }

  protected override judge(head: MessageHead): Fault | undefined {
    const framed = head.has(headerId["content-length"]) || head.has(headerId["transfer-encoding"]);
    return framed ? faults.trailerForbidden : undefined;
  }
}
