// Pure. The frame format of the link: types, limits, and how a header is written and read. A frame is the length of its payload
// (4 bytes), its type (1 byte), its stream (4 bytes; 0: the session), all big-endian, and the payload. Heads, bodies and trailers
// are opaque bytes.

/** The first frame each way, and only the first: the version, and the limits of its sender. */
export const HELLO = 1;
/** A message's head; its body follows in DATA, and END ends it. */
export const HEAD = 2;
/** A whole message: the length of its head (4 bytes), the head, a small body or none. */
export const WHOLE = 3;
/** An interim head, as of a 1xx. It uses credit as DATA does, so that a flood of them is held back. */
export const INFORMATIONAL = 4;
/** A piece of a body. */
export const DATA = 5;
/** The end of a message; its payload is the trailers, or nothing. */
export const END = 6;
/** Ends a stream early; the payload is the reason (1 byte). */
export const RESET = 7;
/** Grants credit: how many more bytes may be sent (4 bytes). */
export const WINDOW = 8;
export const PING = 9;
export const PONG = 10;
/** The sender opens no more streams and wants none. The peer answers with its own, and streams that are open go on to their end. */
export const GOAWAY = 11;

export const VERSION = 1;
export const HEADER_BYTES = 9;
export const HELLO_BYTES = 13;
/** The length of the head in a WHOLE. */
export const HEAD_LENGTH_BYTES = 4;
export const DATA_BYTES_MAX = 64 * 1024;
/** Largest body that shares a frame with its head. */
export const WHOLE_BODY_BYTES_MAX = 16 * 1024;
/** A peer that keeps up always leaves half of a window as credit; an interim head must fit into that. */
export const INFORMATIONAL_BYTES_MAX = 16 * 1024;
export const TRAILERS_BYTES_MAX = 64 * 1024;
export const STREAM_MAX = 0xffff_ffff;
/** Most credit that one stream may have. */
export const CREDIT_MAX = 0x7fff_ffff;

/** Why one side ends a stream early. `refused`: it did not begin to work on it, so that any request may be tried elsewhere. */
export const RESET_REASONS = ["refused", "cancelled", "broken"] as const;
export type ResetReason = (typeof RESET_REASONS)[number];

/** The limits that each side announces at the start. */
export interface Hello {
  readonly version: number;
  /** How many streams at a time the other side may open; 0: none. */
  readonly streamsMax: number;
  /** How many bytes of a body the other side may send on each new stream. */
  readonly windowBytes: number;
  /** The largest head that is taken. */
  readonly headBytesMax: number;
}

/** Positional, for an object a frame would cost more than the frame. @returns where the payload begins */
export function writeHeader(bytes: Buffer, at: number, length: number, type: number, stream: number): number {
  writeUint32(bytes, at, length);
  bytes[at + 4] = type;
  writeUint32(bytes, at + 5, stream);
  return at + HEADER_BYTES;
}

export function writeUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

export function readUint32(bytes: Buffer, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/** The payload of a HELLO. */
export function helloBytes({ version, streamsMax, windowBytes, headBytesMax }: Hello): Buffer {
  const bytes = Buffer.alloc(HELLO_BYTES);
  bytes[0] = version;
  writeUint32(bytes, 1, streamsMax);
  writeUint32(bytes, 5, windowBytes);
  writeUint32(bytes, 9, headBytesMax);
  return bytes;
}

/** @param at where the payload of a HELLO begins */
export function readHello(bytes: Buffer, at: number): Hello {
  return {
    version: bytes[at] as number,
    streamsMax: readUint32(bytes, at + 1),
    windowBytes: readUint32(bytes, at + 5),
    headBytesMax: readUint32(bytes, at + 9),
  };
}
