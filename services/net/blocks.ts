// Blocks of memory for pieces of bodies that are on their way, used again and again: memory of that size lies outside of V8's heap, and
// where some is made for each piece and thrown away, the garbage collector runs several times a second. Few free ones are kept.

/** One read of a socket (transport.ts), with the text around it that frames it. */
export const BLOCK_BYTES = 68 * 1024;
/** For less than this a block would be a waste. */
const BYTES_LEAST = 32 * 1024;
const FREE_MAX = 32;

const free: Block[] = [];

/** Is to be given back when nobody reads it any more; one that never is becomes garbage like any other memory. */
export class Block {
  readonly bytes = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  #taken = true;

  static take(): Block {
    const block = free.pop();
    if (block === undefined) return new Block();
    block.#taken = true;
    return block;
  }

  /** A property, for it is the callback of a write. */
  readonly giveBack = (): void => {
    if (!this.#taken) return;
    this.#taken = false;
    if (free.length < FREE_MAX) free.push(this);
  };
}

/** A copy of borrowed bytes: a large one is in a block. */
export class Copy {
  readonly bytes: Buffer;
  #block: Block | undefined;

  constructor(borrowed: Buffer) {
    const { length } = borrowed;
    if (length < BYTES_LEAST || length > BLOCK_BYTES) this.bytes = Buffer.from(borrowed);
    else {
      this.#block = Block.take();
      this.bytes = this.#block.bytes.subarray(0, length);
      this.bytes.set(borrowed);
    }
  }

  /** It must not be read any more. */
  giveBack(): void {
    this.#block?.giveBack();
    this.#block = undefined;
  }
}
