// What is on its way out on one connection: gathered as text until the turn ends, so that a head and a small body are one write.
// Large pieces go at once, in one buffer with all that stands before them. Every piece is copied, as those who give it borrow it.

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
    else if (!this.#awaitsTurnEnd) {
      this.#awaitsTurnEnd = true;
      flushAtTurnEnd(this);
    }
  }

  piece(before: string, bytes: Buffer, after: string): void {
    if (bytes.length <= JOINED_BYTES_MAX) {
      this.text(before + bytes.toString("latin1") + after);
      return;
    }
    const head = this.#text + before;
    const whole = Buffer.allocUnsafe(head.length + bytes.length + after.length);
    whole.write(head, 0, "latin1");
    bytes.copy(whole, head.length);
    whole.write(after, head.length + bytes.length, "latin1");
    this.#text = "";
    if (!this.#transport.writeBytes(whole)) this.#block();
  }

  /** Sends what was gathered. */
  flush(): void {
    this.#awaitsTurnEnd = false;
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    if (!this.#transport.write(text)) this.#block();
  }

  /** The other side has caught up. @returns whether anybody was told to wait */
  drained(): boolean {
    const blocked = this.#blocked;
    this.#blocked = false;
    return blocked;
  }

  #block(): void {
    if (this.#blocked) return;
    this.#blocked = true;
    this.#owner.onBlocked();
  }
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
