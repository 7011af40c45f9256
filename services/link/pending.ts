// Pure. The frames of one stream that cannot be sent yet, in order: for want of credit, or because the connection is congested. A
// stream has this queue only while there are any. Pieces of a body are copied, because their buffers are borrowed.

import { DATA_BYTES_MAX } from "./frames.ts";

export class Pending {
  readonly #frames: { readonly type: number; payload: string | Buffer }[] = [];

  get empty(): boolean {
    return this.#frames.length === 0;
  }

  /** Of the first frame. */
  get type(): number {
    return this.#frames[0]?.type ?? 0;
  }

  /** Of the first frame, in bytes. */
  get length(): number {
    return this.#frames[0]?.payload.length ?? 0;
  }

  add(type: number, payload: string): void {
    this.#frames.push({ type, payload });
  }

  addBytes(type: number, payload: Buffer): void {
    this.#frames.push({ type, payload: Buffer.from(payload) });
  }

  takeText(): string {
    return this.#frames.shift()?.payload as string;
  }

  /** Takes up to `bytesMax` of the first frame, which is a piece of a body. */
  takeBytes(bytesMax: number): Buffer {
    const first = this.#frames[0] as { payload: Buffer };
    const taken = first.payload.subarray(0, Math.min(bytesMax, DATA_BYTES_MAX));
    if (taken.length === first.payload.length) this.#frames.shift();
    else first.payload = first.payload.subarray(taken.length);
    return taken;
  }
}
