// The end of a connection whose other side may still be sending: our side is ended, and what comes is read and dropped until the
// other side has noticed. Closing at once would be a reset, and that takes the last answer with it (RFC 9112 section 9.6).

import { monotonicMs } from "../runtime/clock.ts";
import type { Cursor } from "./cursor.ts";
import { Deadline, type Expirable } from "./timers.ts";
import type { Transport, TransportOwner } from "./transport.ts";

/** How long a client may go on sending what nobody reads any more. */
const LINGER_MS_MAX = 5_000;
/** After so long a silence it is taken to have noticed. */
const SILENCE_MS = 500;

export class LingeringClose implements TransportOwner, Expirable {
  readonly #transport: Transport;
  readonly #onClosed: () => void;
  readonly #deadline = new Deadline(this);
  readonly #untilMs: number;

  /** @param writeMsMax how long the other side may take for what has been written and not been sent yet */
  constructor(
    transport: Transport,
    { writeMsMax, onClosed }: { readonly writeMsMax: number; readonly onClosed: () => void },
  ) {
    this.#transport = transport;
    this.#onClosed = onClosed;
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
    this.#onClosed();
  }

  onDeadline(): void {
    this.#transport.destroy();
    this.onClose();
  }
}
