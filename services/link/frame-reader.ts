// The frame reader decodes the bytes of a session's connection and hands each frame to the session. It handles a bounded number of
// frames in one turn of the event loop; the rest is kept, and the socket paused, until the next turn.

import { Cursor } from "../net/cursor.ts";
import type { Carrier } from "./carrier.ts";
import type { LinkFault } from "./faults.ts";
import { FrameDecoder, NOTHING } from "./frame-decoder.ts";

const FRAMES_PER_TURN_MAX = 512;

export interface FrameSink {
  readonly closed: boolean;
  /** The frame is in the decoder's fields. @returns why it must not come */
  onFrame(type: number, decoder: FrameDecoder): LinkFault | undefined;
  onFault(fault: LinkFault): void;
}

export class FrameReader {
  readonly #carrier: Carrier;
  readonly #sink: FrameSink;
  readonly #decoder: FrameDecoder;
  readonly #goOn = () => this.#readBacklog();
  #backlog: Cursor | undefined;

  constructor(carrier: Carrier, sink: FrameSink, limits: { readonly headBytesMax: number }) {
    this.#carrier = carrier;
    this.#sink = sink;
    this.#decoder = new FrameDecoder(limits);
  }

  read(cursor: Cursor): void {
    if (this.#backlog !== undefined) {
      this.#backlog = new Cursor(Buffer.concat([restOf(this.#backlog), restOf(cursor)]));
      return;
    }
    const decoder = this.#decoder;
    for (let frames = 0; frames < FRAMES_PER_TURN_MAX && !this.#sink.closed; frames += 1) {
      const type = decoder.next(cursor);
      const fault = type === NOTHING ? decoder.fault : this.#sink.onFrame(type, decoder);
      if (fault !== undefined) this.#sink.onFault(fault);
      if (type === NOTHING) return;
    }
    if (cursor.left > 0 && !this.#sink.closed) this.#rest(cursor);
  }

  #rest(cursor: Cursor): void {
    this.#backlog = new Cursor(Buffer.from(restOf(cursor)));
    this.#carrier.pause();
    setImmediate(this.#goOn);
  }

  #readBacklog(): void {
    const backlog = this.#backlog;
    if (backlog === undefined || this.#sink.closed) return;
    this.#backlog = undefined;
    this.read(backlog);
    if (this.#backlog === undefined && !this.#sink.closed) this.#carrier.resume();
  }
}

function restOf({ bytes, at, end }: Cursor): Buffer {
  return bytes.subarray(at, end);
}
