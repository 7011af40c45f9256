// The body of a request on its way to a member. What has come is kept up to a limit, so that an attempt that failed can be repeated
// elsewhere from the first byte; past the limit it is let go, and the request can no longer be repeated.

import { Copy } from "../../net/blocks.ts";

/** The largest body that is kept for another attempt. */
const REPLAY_BYTES_MAX = 64 * 1024;

/** Where the body comes from. */
interface Source {
  pause(): void;
  resume(): void;
}

/** Where it goes to: the attempt under way. */
export interface BodySink {
  /** @param chunk borrowed until it returns. @returns false when the member is slower */
  takeBody(chunk: Buffer): boolean;
  endBody(): void;
}

export class RequestBody {
  readonly #source: Source;
  #kept: Copy[] = [];
  #isKept = true;
  #bytes = 0;
  #whole = false;
  #sink: BodySink | undefined;

  constructor(source: Source) {
    this.#source = source;
  }

  get replayable(): boolean {
    return this.#bytes <= REPLAY_BYTES_MAX;
  }

  /** Is all that has come still here? */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** How much may be kept of it, in bytes. @param length of the whole of it; undefined: nobody knows yet */
  keptBytesOf(length: number | undefined): number {
    return Math.max(this.#bytes, this.#whole ? 0 : Math.min(length ?? REPLAY_BYTES_MAX, REPLAY_BYTES_MAX));
  }

  get whole(): boolean {
    return this.#whole;
  }

  /** How much has come, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A piece has come. @param chunk borrowed until it returns */
  take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.replayable || this.#sink === undefined) this.#kept.push(new Copy(chunk));
    else this.letGo();
    const goesOn = this.#sink === undefined ? this.replayable : this.#sink.takeBody(chunk);
    if (!goesOn) this.#source.pause();
  }

  /** The last piece has come. */
  end(): void {
    this.#whole = true;
    this.#sink?.endBody();
  }

  /** Gives an attempt the whole body: what was kept, then what still comes, at the member's pace. */
  attach(sink: BodySink): void {
    this.#sink = sink;
    let goesOn = true;
    for (const { bytes } of this.#kept) goesOn = sink.takeBody(bytes);
    if (!this.replayable) this.letGo();
    if (this.#whole) sink.endBody();
    else if (goesOn) this.#source.resume();
  }

  /** The attempt is over. */
  detach(): void {
    this.#sink = undefined;
  }

  /** There will be no other attempt. */
  letGo(): void {
    this.#isKept = false;
    for (const copy of this.#kept) copy.giveBack();
    this.#kept = [];
  }

  /** The member has caught up. */
  drained(): void {
    if (!this.#whole) this.#source.resume();
  }
}
