// The frames of one stream that cannot be sent yet, in order: for want of credit, or because the connection is congested. A
// stream has this queue only while there are any. Pieces of a body are copied, because their buffers are borrowed.

import { Copy } from "../net/blocks.ts";
import { DATA_BYTES_MAX } from "./frames.ts";

interface Frame {
  readonly type: number;
  readonly payload: string | Copy;
}

export class Pending {
  readonly #frames: Frame[] = [];
  /** How much of the first frame has been taken: of a piece of a body that can be some. */
  #taken = 0;

  get empty(): boolean {
    return this.#frames.length === 0;
  }

  /** Of the first frame. */
  get type(): number {
    return this.#frames[0]?.type ?? 0;
  }

  /** Of the first frame, which is text, in bytes. */
  get length(): number {
    return this.#text.length;
  }

  add(type: number, payload: string): void {
    this.#frames.push({ type, payload });
  }

  addBytes(type: number, payload: Buffer): void {
    this.#frames.push({ type, payload: new Copy(payload) });
  }

  takeText(): string {
    const text = this.#text;
    this.#frames.shift();
    return text;
  }

  /** Up to `bytesMax` of the first frame, which is a piece of a body, borrowed until taken() is called. */
  bytes(bytesMax: number): Buffer {
    return this.#copy.bytes.subarray(this.#taken, this.#taken + Math.min(bytesMax, DATA_BYTES_MAX));
  }

  taken(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < this.#copy.bytes.length) return;
    this.#copy.giveBack();
    this.#frames.shift();
    this.#taken = 0;
  }

  /** Forgets all of it. */
  clear(): void {
    for (const { payload } of this.#frames) if (payload instanceof Copy) payload.giveBack();
    this.#frames.length = 0;
  }

  get #text(): string {
    return this.#frames[0]?.payload as string;
  }

  get #copy(): Copy {
    return this.#frames[0]?.payload as Copy;
  }
}
