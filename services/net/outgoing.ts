// What is on its way out on one connection: gathered until the turn ends, so that a head and a small body are one write, and so are
// two pieces of one read. Small pieces are gathered as text, large ones in a block. All are copied, as those who give them borrow them.

import { BLOCK_BYTES, Block } from "./blocks.ts";
import type { Transport } from "./transport.ts";
import { type Flushable, flushAtTurnEnd } from "./turn.ts";

/** Where a message's writer writes to. */
export interface Output {
  /** False when the other side is slower than whoever writes; what is written all the same is kept. */
  readonly writable: boolean;
  text(text: string): void;
  /** A piece of a body with the text around it that frames it. */
  piece(before: string, bytes: Buffer, after: string): void;
}

/** Up to here a copy as text costs less than a buffer of its own. */
const JOINED_BYTES_MAX = 8 * 1024;
const GATHERED_BYTES_MAX = 64 * 1024;

export interface OutgoingOwner {
  /** From now on nothing should be written until the transport has drained. */
  onBlocked(): void;
}

export class Outgoing implements Output, Flushable {
  readonly #transport: Transport;
  readonly #owner: OutgoingOwner;
  /** Large pieces, with all that stands before them. */
  #block: Block | undefined;
  #blockBytes = 0;
  /** What comes behind the block. */
  #text = "";
  #awaitsTurnEnd = false;
  #blocked = false;

  constructor(transport: Transport, owner: OutgoingOwner) {
    this.#transport = transport;
    this.#owner = owner;
  }

  get writable(): boolean {
    return !this.#blocked;
  }

  text(text: string): void {
    this.#text += text;
    if (this.#text.length > GATHERED_BYTES_MAX) this.flush();
    else this.#flushLater();
  }

  piece(before: string, bytes: Buffer, after: string): void {
    if (bytes.length <= JOINED_BYTES_MAX) {
      this.text(before + bytes.toString("latin1") + after);
      return;
    }
    const length = before.length + bytes.length + after.length;
    const full = this.#blockBytes + this.#text.length + length > BLOCK_BYTES;
    if (full && this.#block !== undefined) this.#sendBlock(this.#block);
    const head = this.#text + before;
    this.#text = "";
    if (this.#blockBytes + head.length + bytes.length + after.length <= BLOCK_BYTES) this.#gather(head, bytes, after);
    else if (!this.#transport.writeBytes(joined(head, bytes, after))) this.#wait();
  }

  /** Sends what was gathered. */
  flush(): void {
    this.#awaitsTurnEnd = false;
    if (this.#block !== undefined) this.#sendBlock(this.#block);
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    if (!this.#transport.write(text)) this.#wait();
  }

  /** The other side has caught up. @returns whether anybody was told to wait */
  drained(): boolean {
    const blocked = this.#blocked;
    this.#blocked = false;
    return blocked;
  }

  #gather(head: string, bytes: Buffer, after: string): void {
    this.#block ??= Block.take();
    const { bytes: into } = this.#block;
    let at = this.#blockBytes;
    at += into.write(head, at, "latin1");
    into.set(bytes, at);
    at += bytes.length;
    at += into.write(after, at, "latin1");
    this.#blockBytes = at;
    this.#flushLater();
  }

  #flushLater(): void {
    if (this.#awaitsTurnEnd) return;
    this.#awaitsTurnEnd = true;
    flushAtTurnEnd(this);
  }

  /** With the text behind it, where that fits in. */
  #sendBlock(block: Block): void {
    let length = this.#blockBytes;
    if (length + this.#text.length <= BLOCK_BYTES) {
      length += block.bytes.write(this.#text, length, "latin1");
      this.#text = "";
    }
    this.#block = undefined;
    this.#blockBytes = 0;
    if (!this.#transport.writeBlock(block, length)) this.#wait();
  }

  #wait(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    this.#owner.onBlocked();
  }
}

function joined(head: string, bytes: Buffer, after: string): Buffer {
  return Buffer.concat([Buffer.from(head, "latin1"), bytes, Buffer.from(after, "latin1")]);
}

/** What must wait until others have been written. */
export class HeldOutput implements Output {
  readonly #pieces: (string | Buffer)[] = [];
  #bytes = 0;

  get writable(): boolean {
    return this.#bytes <= GATHERED_BYTES_MAX;
  }

  text(text: string): void {
    this.#pieces.push(text);
    this.#bytes += text.length;
  }

  piece(before: string, bytes: Buffer, after: string): void {
    if (before !== "") this.text(before);
    this.#pieces.push(Buffer.from(bytes));
    this.#bytes += bytes.length;
    if (after !== "") this.text(after);
  }

  moveTo(output: Output): void {
    for (const piece of this.#pieces) {
      if (typeof piece === "string") output.text(piece);
      else output.piece("", piece, "");
    }
  }
}
