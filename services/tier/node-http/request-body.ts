// The body of a request on its way to a member. What has gone out is kept up to a limit, so that an attempt that failed
// can be repeated elsewhere from the first byte; past the limit it is let go, and the request can no longer be repeated.

import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

/** The largest body that is kept for a second attempt. */
const REPLAY_BYTES_MAX = 64 * 1024;

export interface BodyLimit {
  /** 0: any size. */
  readonly bytesMax: number;
  /** Called once, when the body turns out to be larger. */
  readonly onTooLarge: () => void;
}

export class RequestBody {
  readonly #source: IncomingMessage;
  readonly #limit: BodyLimit;
  #kept: Buffer[] = [];
  #bytes = 0;

  constructor(source: IncomingMessage, limit: BodyLimit) {
    this.#source = source;
    this.#limit = limit;
  }

  get replayable(): boolean {
    return this.#bytes <= REPLAY_BYTES_MAX;
  }

  /**
   * Waits for the body, or as much of it as is kept: a client that sends a few bytes a second must not hold a member's place
   * meanwhile (R-U-Dead-Yet). @param length what the request says of it, in bytes
   */
  gather(length: number): Promise<void> {
    const source = this.#source;
    const wanted = Math.min(length, REPLAY_BYTES_MAX);
    return new Promise((resolve) => {
      const done = () => {
        source.off("data", take).off("close", done).pause();
        resolve();
      };
      const take = (chunk: Buffer) => {
        const fits = this.#bytes + chunk.length <= REPLAY_BYTES_MAX;
        if (fits) this.#keep(chunk);
        if (!fits || this.#bytes >= wanted) done();
        if (!fits) source.unshift(chunk);
      };
      source.on("data", take).once("close", done);
    });
  }

  /** The whole body for one attempt; the stream of the attempt before it must be destroyed. */
  open(): Readable {
    return new Replay(this.#source, [...this.#kept], (chunk) => this.#keep(chunk));
  }

  #keep(chunk: Buffer): void {
    const { bytesMax, onTooLarge } = this.#limit;
    const fitted = this.#bytes <= bytesMax;
    this.#bytes += chunk.length;
    if (bytesMax > 0 && fitted && this.#bytes > bytesMax) onTooLarge();
    if (this.replayable) this.#kept.push(chunk);
    else this.#kept = [];
  }
}

/** First what was kept, then what the client still sends, at the pace of the reader. Ending it leaves the source open. */
class Replay extends Readable {
  readonly #source: IncomingMessage;
  readonly #prefix: Buffer[];
  readonly #keep: (chunk: Buffer) => void;
  readonly #onData = (chunk: Buffer) => {
    this.#keep(chunk);
    if (!this.push(chunk)) this.#source.pause();
  };
  readonly #onEnd = () => this.push(null);
  #attached = false;

  constructor(source: IncomingMessage, prefix: Buffer[], keep: (chunk: Buffer) => void) {
    super();
    this.#source = source;
    this.#prefix = prefix;
    this.#keep = keep;
  }

  override _read(): void {
    for (let chunk = this.#prefix.shift(); chunk !== undefined; chunk = this.#prefix.shift()) {
      if (!this.push(chunk)) return;
    }
    if (!this.#attached) this.#attach();
    this.#source.resume();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.off("data", this.#onData).off("end", this.#onEnd);
    this.#source.pause();
    done(error);
  }

  #attach(): void {
    this.#attached = true;
    if (this.#source.readableEnded) this.push(null);
    else this.#source.on("data", this.#onData).on("end", this.#onEnd);
  }
}
