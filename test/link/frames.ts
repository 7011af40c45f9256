// For the tests of frames: how they are written, one by one, and what a decoder makes of their bytes, in words.

import { FrameDecoder, NOTHING } from "../../services/link/frame-decoder.ts";
import { DATA, HEADER_BYTES, WHOLE, writeHeader, writeUint32 } from "../../services/link/frames.ts";
import { Cursor } from "../../services/net/cursor.ts";

export const HEAD_BYTES_MAX = 4096;

export function frame(type: number, stream: number, payload: string | Buffer = ""): Buffer {
  const bytes = Buffer.from(payload as string, "latin1");
  return Buffer.concat([header(bytes.length, type, stream), bytes]);
}

export function header(length: number, type: number, stream: number): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  writeHeader(bytes, 0, length, type, stream);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  writeUint32(bytes, 0, value);
  return bytes;
}

export function whole(stream: number, head: string, body = "", headLength = head.length): Buffer {
  return frame(WHOLE, stream, Buffer.concat([uint32(headLength), Buffer.from(head + body, "latin1")]));
}

/** What is read, a line a frame; DATA of one stream in a row is one. Each piece is overwritten once it has been read. */
export function decode(pieces: readonly Buffer[], headBytesMax = HEAD_BYTES_MAX): string[] {
  const decoder = new FrameDecoder({ headBytesMax });
  const lines: string[] = [];
  for (const piece of pieces) {
    const cursor = new Cursor(Buffer.concat([Buffer.from("before"), piece, Buffer.from("behind")]));
    cursor.at = 6;
    cursor.end -= 6;
    for (let type = decoder.next(cursor); type !== NOTHING; type = decoder.next(cursor)) {
      const text = textOf(decoder, type);
      const last = lines.at(-1);
      if (type === DATA && last?.startsWith(`${DATA} ${decoder.stream} `)) lines[lines.length - 1] = last + text;
      else lines.push(`${type} ${decoder.stream} ${text}`);
    }
    cursor.bytes.fill(0);
    if (decoder.fault !== undefined) return [...lines, decoder.fault];
  }
  return lines;
}

function textOf({ payload: { bytes, at, end }, body }: FrameDecoder, type: number): string {
  const text = bytes.toString("latin1", at, end);
  return type === WHOLE ? `${text}|${body.toString("latin1")}` : text;
}
