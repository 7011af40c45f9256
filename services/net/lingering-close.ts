// The end of a connection. While the other side may still be sending, our side is ended, and what comes is read and dropped until the
// other side has noticed: closing at once would be a reset, and that takes the last answer with it (RFC 9112 section 9.6). One that has
// said that it sends nothing more is not waited for, where its answer is small.

import { monotonicMs } from "../runtime/clock.ts";
import type { Cursor } from "./cursor.ts";
import { Deadline, type Expirable } from "./timers.ts";
import type { Transport, TransportOwner } from "./transport.ts";

/** How long a client may go on sending what nobody reads any more. */
const LINGER_MS_MAX = 5_000;
/** After so long a silence it is taken to have noticed. */
const SILENCE_MS = 500;
/** So much is on its way at once, on a new connection too (RFC 6928): an odd byte that still comes can take nothing of it back. */
const FIRST_FLIGHT_BYTES = 14_600;

export interface Closing {
  /** Has all been read that the other side sends, and does this process stay until all has arrived there? */
  readonly heard: boolean;
  /** How long the other side may take for what has been written and not been sent yet. */
  readonly limits: { readonly idleTimeoutMs: number };
  /** Hears when it is gone. */
  readonly owner: Pick<TransportOwner, "onClose">;
}

/** Closes behind what was written; the kernel sends what it has been given also when nobody waits for that. */
export function closeBehind(transport: Transport, closing: Closing): void {
  const isSent = transport.stream.writableLength === 0 && transport.bytesSent <= FIRST_FLIGHT_BYTES;
  if (!closing.heard || !isSent) new LingeringClose(transport, closing);
  else {
    transport.destroy();
    closing.owner.onClose(undefined);
  }
}

class LingeringClose implements TransportOwner, Expirable {
  readonly #transport: Transport;
  readonly #owner: Closing["owner"];
  readonly #deadline = new Deadline(this);
  readonly #untilMs: number;

  constructor(transport: Transport, { limits: { idleTimeoutMs: writeMsMax }, owner }: Closing) {
    this.#transport = transport;
    this.#owner = owner;
    const unsent = transport.stream.writableLength > 0;
    this.#untilMs = monotonicMs() + LINGER_MS_MAX + (unsent ? writeMsMax : 0);
    transport.owner = this;
    transport.end();
    transport.resume();
    this.#deadline.set(unsent ? writeMsMax : SILENCE_MS);
    if (unsent) transport.stream.once("finish", () => !transport.closed && this.#deadline.set(SILENCE_MS));
  }

  onBytes(cursor: Cursor): void {
    cursor.at = cursor.end;
    if (monotonicMs() > this.#untilMs) this.onDeadline();
    else if (this.#transport.stream.writableLength === 0) this.#deadline.set(SILENCE_MS);
  }

  onDrain(): void {}

  onEnd(): void {
    // What is on its way out is sent before the stream closes by itself.
    if (this.#transport.stream.writableLength === 0) this.onDeadline();
  }

  onClose(): void {
    this.#deadline.remove();
    this.#owner.onClose(undefined);
  }

  onDeadline(): void {
    this.#transport.destroy();
    this.onClose();
  }
}
