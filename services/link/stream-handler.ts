// Pure. The callbacks by which a stream reports the peer's message, and the ways in which a stream can fail. All bytes that a callback
// gets are borrowed until it returns.

import type { Cursor } from "../net/cursor.ts";
import type { ResetReason } from "./frames.ts";

/** Why a stream ended early: the peer's reason, or `connection-broken`. */
export type StreamFailure = ResetReason | "connection-broken";

export interface StreamHandler {
  /** An interim head, before the final one. */
  onInformational(head: Cursor): void;
  /** The body follows, and onEnd() ends it. */
  onHead(head: Cursor): void;
  /** All of the message at once; nothing follows. */
  onWhole(head: Cursor, body: Buffer): void;
  onData(chunk: Buffer): void;
  /** @param trailers of no byte where there are none */
  onEnd(trailers: Buffer): void;
  /** Writing may go on, after write() or informational() has returned false. */
  onWritable(): void;
  /** The last call. The stream's `answered` says whether anything of the peer's message had come. */
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
