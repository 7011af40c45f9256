// Pure. Lines from the pieces of a member's output, however long a line is and however it is cut: of each line the first bytes are
// kept, the rest is dropped and counted. So what is held is bounded, whatever a member writes.

/** Far more than any report needs. */
export const LINE_BYTES_MAX = 8_192;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

export class LineSplitter {
  readonly #onLine: (line: Buffer) => void;
  /** The begun line, as far as it is kept. */
  readonly #begun = Buffer.allocUnsafeSlow(LINE_BYTES_MAX);
  #length = 0;
  #cutBytes = 0;

  /** @param onLine called with each line, without its end and at most LINE_BYTES_MAX long; the bytes are lent for the call */
  constructor(onLine: (line: Buffer) => void) {
    this.#onLine = onLine;
  }

  /** Dropped so far, of lines that were too long. */
  get cutBytes(): number {
    return this.#cutBytes;
  }

  /** @returns how many lines ended in it */
  push(piece: Buffer): number {
    let lines = 0;
    let from = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      this.#end(piece, from, end);
      lines += 1;
      from = end + 1;
    }
    this.#keep(piece, from, piece.length);
    return lines;
  }

  /** The output is over: what was begun is a line too. */
  end(): void {
    if (this.#length > 0) this.#end(this.#begun, 0, 0);
  }

  #end(piece: Buffer, from: number, to: number): void {
    if (this.#length === 0 && to - from <= LINE_BYTES_MAX) {
      this.#onLine(withoutReturn(piece.subarray(from, to)));
      return;
    }
    this.#keep(piece, from, to);
    const line = this.#begun.subarray(0, this.#length);
    this.#length = 0;
    this.#onLine(withoutReturn(line));
  }

  #keep(piece: Buffer, from: number, to: number): void {
    const kept = Math.min(to - from, LINE_BYTES_MAX - this.#length);
    piece.copy(this.#begun, this.#length, from, from + kept);
    this.#length += kept;
    this.#cutBytes += to - from - kept;
  }
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}
