// Pure. The decoder reads frames from the bytes of a connection, however these are cut into pieces. A frame that has come whole is
// read in place. DATA is passed on piece by piece. Any other frame that comes in pieces is buffered, one at a time, and never more
// bytes than its type allows: the length is checked before a byte is kept.

import { Cursor } from "../net/cursor.ts";
import type { FrameFault } from "./faults.ts";
import {
  CREDIT_MAX,
  DATA,
  DATA_BYTES_MAX,
  END,
  GOAWAY,
  HEAD,
  HEAD_LENGTH_BYTES,
  HEADER_BYTES,
  HELLO,
  HELLO_BYTES,
  INFORMATIONAL,
  INFORMATIONAL_BYTES_MAX,
  PING,
  PONG,
  RESET,
  RESET_REASONS,
  readUint32,
  TRAILERS_BYTES_MAX,
  WHOLE,
  WHOLE_BODY_BYTES_MAX,
  WINDOW,
} from "./frames.ts";

/** The rest of the next frame has not come, or there was a fault. */
export const NOTHING = 0;

interface Shape {
  readonly bytesMin: number;
  readonly bytesMax: number;
  /** Is it a stream's, or the whole session's? */
  readonly streamed: boolean;
}

const EMPTY = Buffer.alloc(0);

export class FrameDecoder {
  /** Of the frame that next() returned. */
  stream = 0;
  /** Its payload, borrowed until the source changes; of a WHOLE the head alone. */
  readonly payload = new Cursor(EMPTY);
  /** The increment of a WINDOW; the index of a RESET's reason in RESET_REASONS. */
  value = 0;
  /** Set once; nothing is read behind it. */
  fault: FrameFault | undefined;
  readonly #shapes: readonly (Shape | undefined)[];
  readonly #headBytesMax: number;
  #type = 0;
  #length = 0;
  /** How much of a DATA is still to come. */
  #dataLeft = 0;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerHas = 0;
  #parts: Buffer | undefined;
  #partsHave = 0;
  /** Where the body of a WHOLE stands. */
  #bodyAt = 0;
  #bodyEnd = 0;

  constructor({ headBytesMax }: { readonly headBytesMax: number }) {
    this.#headBytesMax = headBytesMax;
    this.#shapes = shapesOf(headBytesMax);
  }

  /** Of a WHOLE, borrowed as its payload is; most have none. */
  get body(): Buffer {
    return this.#bodyEnd > this.#bodyAt ? this.payload.bytes.subarray(this.#bodyAt, this.#bodyEnd) : EMPTY;
  }

  /** Reads one frame, or one piece of a DATA, into the fields. @returns its type, or NOTHING */
  next(source: Cursor): number {
    if (this.fault !== undefined || source.at === source.end) return NOTHING;
    if (this.#dataLeft > 0) return this.#data(source);
    if (this.#parts !== undefined) return this.#goOn(source, this.#parts);
    if (this.#headerHas > 0 || source.end - source.at < HEADER_BYTES) return this.#headerInParts(source);
    const { at } = source;
    source.at = at + HEADER_BYTES;
    return this.#begin(source.bytes, at) ? this.#body(source) : NOTHING;
  }

  #headerInParts(source: Cursor): number {
    const count = Math.min(source.left, HEADER_BYTES - this.#headerHas);
    source.bytes.copy(this.#header, this.#headerHas, source.at, source.at + count);
    this.#headerHas += count;
    source.at += count;
    if (this.#headerHas < HEADER_BYTES) return NOTHING;
    this.#headerHas = 0;
    return this.#begin(this.#header, 0) ? this.#body(source) : NOTHING;
  }

  /** Reads and judges the header. */
  #begin(bytes: Buffer, at: number): boolean {
    const length = readUint32(bytes, at);
    const type = bytes[at + 4] as number;
    const stream = readUint32(bytes, at + 5);
    const shape = this.#shapes[type];
    if (shape === undefined) return this.#fail("frame-type");
    if (length < shape.bytesMin || length > shape.bytesMax) return this.#fail("frame-length");
    if (shape.streamed !== stream > 0) return this.#fail("frame-stream");
    this.#type = type;
    this.#length = length;
    this.stream = stream;
    return true;
  }

  #body(source: Cursor): number {
    if (this.#type === DATA) {
      this.#dataLeft = this.#length;
      return source.at < source.end ? this.#data(source) : NOTHING;
    }
    const { at } = source;
    if (source.end - at >= this.#length) {
      source.at = at + this.#length;
      return this.#judge(source.bytes, at);
    }
    this.#parts = Buffer.allocUnsafe(this.#length);
    this.#partsHave = 0;
    return this.#goOn(source, this.#parts);
  }

  #data(source: Cursor): number {
    const { payload } = this;
    const { at } = source;
    const end = Math.min(source.end, at + this.#dataLeft);
    payload.bytes = source.bytes;
    payload.at = at;
    payload.end = end;
    source.at = end;
    this.#dataLeft -= end - at;
    return DATA;
  }

  #goOn(source: Cursor, parts: Buffer): number {
    const count = Math.min(source.left, parts.length - this.#partsHave);
    source.bytes.copy(parts, this.#partsHave, source.at, source.at + count);
    this.#partsHave += count;
    source.at += count;
    if (this.#partsHave < parts.length) return NOTHING;
    this.#parts = undefined;
    return this.#judge(parts, 0);
  }

  /** The whole payload is there. */
  #judge(bytes: Buffer, at: number): number {
    const { payload } = this;
    const type = this.#type;
    payload.bytes = bytes;
    payload.at = at;
    payload.end = at + this.#length;
    if (type === WHOLE) return this.#splitWhole(payload) ? type : NOTHING;
    if (type === RESET) {
      this.value = bytes[at] as number;
      if (this.value >= RESET_REASONS.length) this.#fail("reset-reason");
    } else if (type === WINDOW) {
      this.value = readUint32(bytes, at);
      if (this.value === 0 || this.value > CREDIT_MAX) this.#fail("window-increment");
    }
    return this.fault === undefined ? type : NOTHING;
  }

  #splitWhole(payload: Cursor): boolean {
    const length = readUint32(payload.bytes, payload.at);
    payload.at += HEAD_LENGTH_BYTES;
    if (length === 0 || length > payload.left || length > this.#headBytesMax) return this.#fail("head-length");
    this.#bodyAt = payload.at + length;
    this.#bodyEnd = payload.end;
    payload.end = this.#bodyAt;
    return this.#bodyEnd - this.#bodyAt <= WHOLE_BODY_BYTES_MAX || this.#fail("frame-length");
  }

  #fail(fault: FrameFault): false {
    this.fault = fault;
    return false;
  }
}

function shapesOf(headBytesMax: number): (Shape | undefined)[] {
  const shapes: (Shape | undefined)[] = [];
  const ofSession = (bytes: number): Shape => ({ bytesMin: bytes, bytesMax: bytes, streamed: false });
  const ofStream = (bytesMin: number, bytesMax: number): Shape => ({ bytesMin, bytesMax, streamed: true });
  shapes[HELLO] = ofSession(HELLO_BYTES);
  shapes[HEAD] = ofStream(1, headBytesMax);
  shapes[WHOLE] = ofStream(HEAD_LENGTH_BYTES + 1, HEAD_LENGTH_BYTES + headBytesMax + WHOLE_BODY_BYTES_MAX);
  shapes[INFORMATIONAL] = ofStream(1, INFORMATIONAL_BYTES_MAX);
  shapes[DATA] = ofStream(1, DATA_BYTES_MAX);
  shapes[END] = ofStream(0, TRAILERS_BYTES_MAX);
  shapes[RESET] = ofStream(1, 1);
  shapes[WINDOW] = ofStream(4, 4);
  shapes[PING] = ofSession(0);
  shapes[PONG] = ofSession(0);
  shapes[GOAWAY] = ofSession(0);
  return shapes;
}
