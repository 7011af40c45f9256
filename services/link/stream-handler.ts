// Pure. What the user of a stream hears of the other side's message, and how an exchange can fail. All bytes that a callback is given
// are borrowed until it returns.

import type { Cursor } from "./cursor.ts";
import type { ResetReason } from "./frames.ts";

/** Why an exchange ended before its time: the other side's reason, or `connection-broken`. */
export type StreamFailure = ResetReason | "connection-broken";

export interface StreamHandler {
  /** A head that comes before the one that counts. */
  onInformational(head: Cursor): void;
  /** The body follows, and onEnd() ends it. */
  onHead(head: Cursor): void;
  /** All of the message at once; nothing follows. */
  onWhole(head: Cursor, body: Buffer): void;
  onData(chunk: Buffer): void;
  /** @param trailers of no byte where there are none */
  onEnd(trailers: Buffer): void;
  /** One may go on to write, after write() has said false. */
  onWritable(): void;
  /** Nothing else will be called. Whether anything of the message had come, the stream's `answered` says. */
  onFailure(failure: StreamFailure): void;
}

export const NOBODY: StreamHandler = {
  onInformational() {},
  onHead() {},
  onWhole() {},
  onData() {},
  onEnd() {},
  onWritable() {},
  onFailure() {},
};
