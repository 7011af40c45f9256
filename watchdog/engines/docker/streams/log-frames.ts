// Pure. The frames in which the engine sends what a container without a terminal wrote: eight bytes (the stream, three of nothing,
// the length), then the piece. Pieces of frames come as they come: nothing is held but a begun head.

const HEAD_BYTES = 8;
const STDOUT = 1;

export class LogFrames {
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headLength = 0;
  /** Of the present frame, yet to come. */
  #left = 0;

  /** @param onStdout called with what the piece holds of stdout @returns the sum of what it returned */
  push(piece: Buffer, onStdout: (part: Buffer) => number): number {
    let sum = 0;
    for (let at = 0; at < piece.length; ) {
      if (this.#left === 0) {
        at += this.#readHead(piece, at);
        continue;
      }
      const end = Math.min(piece.length, at + this.#left);
      if (this.#head[0] === STDOUT) sum += onStdout(piece.subarray(at, end));
      this.#left -= end - at;
      at = end;
    }
    return sum;
  }

  /** @returns how many bytes of the piece belong to the head */
  #readHead(piece: Buffer, at: number): number {
    const read = piece.copy(this.#head, this.#headLength, at, at + HEAD_BYTES - this.#headLength);
    this.#headLength += read;
    if (this.#headLength === HEAD_BYTES) {
      this.#headLength = 0;
      this.#left = this.#head.readUInt32BE(4);
    }
    return read;
  }
}

/** What a whole log in frames says, on all streams. */
export function unframed(bytes: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + HEAD_BYTES <= bytes.length; ) {
    const end = at + HEAD_BYTES + bytes.readUInt32BE(at + 4);
    pieces.push(bytes.subarray(at + HEAD_BYTES, end));
    at = end;
  }
  return Buffer.concat(pieces).toString();
}
