// Pure. Bytes that came too early and are kept: the beginning of a head, the next request behind one that is not over. It grows
// by doubling, so that a peer that sends byte by byte costs no more than one that does not.

import { Cursor } from "./cursor.ts";

const BYTES_MIN = 512;
const NOTHING = Buffer.alloc(0);

export class Backlog {
  /** What is kept and has not been read. */
  readonly cursor = new Cursor(NOTHING);

  get empty(): boolean {
    return this.cursor.at === this.cursor.end;
  }

  /** Takes up to `bytesMax` of what is left at the source, and moves the source on. */
  take(source: Cursor, bytesMax = source.left): void {
    const count = Math.min(bytesMax, source.left);
    this.#makeRoom(count);
    const { cursor } = this;
    source.bytes.copy(cursor.bytes, cursor.end, source.at, source.at + count);
    cursor.end += count;
    source.at += count;
  }

  clear(): void {
    const { cursor } = this;
    cursor.bytes = NOTHING;
    cursor.at = 0;
    cursor.end = 0;
  }

  #makeRoom(count: number): void {
    const { cursor } = this;
    if (this.empty) {
      cursor.at = 0;
      cursor.end = 0;
    }
    if (cursor.end + count <= cursor.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(BYTES_MIN, 2 * (cursor.left + count)));
    cursor.bytes.copy(grown, 0, cursor.at, cursor.end);
    cursor.end = cursor.left;
    cursor.at = 0;
    cursor.bytes = grown;
  }
}
