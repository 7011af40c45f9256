// Pure. The body of a message as it comes, without its framing, whichever of the four kinds that is (RFC 9112 section 6.3).

import type { Cursor } from "../../net/cursor.ts";
import { type Fault, faults } from "../message/faults.ts";
import type { Framing } from "../message/framing.ts";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import type { HeadLimits } from "./head-parser.ts";

const NO_TRAILERS: readonly string[] = [];

/** Of the trailers, and of the body itself. */
export interface BodyLimits extends HeadLimits {
  /** 0, or not given: any size. */
  readonly bodyBytesMax?: number;
}

export class BodyDecoder {
  /** Set at once for a body without a byte; never for one that the connection ends. */
  done: boolean;
  fault: Fault | undefined;
  /** What the last read found of the body: empty if nothing. */
  dataFrom = 0;
  dataTo = 0;
  readonly #bytesMax: number;
  readonly #chunks: ChunkedDecoder | undefined;
  /** Of a known length; Infinity for all that comes until the connection ends. */
  #left: number;
  #bytes = 0;

  constructor(framing: Framing, limits: BodyLimits) {
    this.#bytesMax = limits.bodyBytesMax ?? 0;
    this.#chunks = framing.kind === "chunked" ? new ChunkedDecoder(limits) : undefined;
    this.#left = framing.kind === "length" ? framing.length : framing.kind === "none" ? 0 : Number.POSITIVE_INFINITY;
    this.done = this.#left === 0;
  }

  /** Flat, and only known once it is done. */
  get trailers(): readonly string[] {
    return this.#chunks?.trailers ?? NO_TRAILERS;
  }

  /** Reads up to the end of a stretch of data, of the body, or of what has come. */
  read(cursor: Cursor): void {
    if (this.#chunks === undefined) this.#readPlain(cursor);
    else this.#readChunks(cursor, this.#chunks);
    this.#bytes += this.dataTo - this.dataFrom;
    if (this.#bytesMax > 0 && this.#bytes > this.#bytesMax) this.fault = faults.bodyTooLarge;
  }

  #readPlain(cursor: Cursor): void {
    const count = Math.min(this.#left, cursor.left);
    this.dataFrom = cursor.at;
    cursor.at += count;
    this.dataTo = cursor.at;
    this.#left -= count;
    this.done = this.#left === 0;
  }

  #readChunks(cursor: Cursor, chunks: ChunkedDecoder): void {
    chunks.read(cursor);
    this.dataFrom = chunks.dataFrom;
    this.dataTo = chunks.dataTo;
    this.done = chunks.done;
    this.fault = chunks.fault;
  }
}
