// The outbox gathers the frames that a session sends in one turn of the event loop in one buffer, and sends them in one write: this
// makes the link cheaper than a connection an exchange. Of many frames the first leave early: the peer works on them while we go on.
// The buffer is reused from its start once the kernel has taken its bytes.

import { copiesAtOnce } from "../net/transport.ts";
import { type Flushable, flushAtTurnEnd } from "../net/turn.ts";
import type { Carrier } from "./carrier.ts";
import { DATA_BYTES_MAX, HEAD_LENGTH_BYTES, HEADER_BYTES, writeHeader, writeUint32 } from "./frames.ts";

/** A head waits like a body when more bytes than this are queued. */
const HEADS_BYTES_MAX = 1024 * 1024;
/** Only replies to the peer's frames can queue so much: a peer that makes us write and never reads is cut off. */
const QUEUE_BYTES_MAX = 8 * 1024 * 1024;
/** Measured with the chain at 64 and at 256 connections: 4 cost a write each too often, and without an end the peer waits idle. */
const FRAMES_A_WRITE_MAX = 12;
/** Four full frames of DATA. */
const BUFFER_BYTES = 4 * (HEADER_BYTES + DATA_BYTES_MAX);
/** So many buffers are kept for the next time that the other side is slower. */
const SPARE_MAX = 2;

export interface OutboxOwner {
  readonly streamCount: number;
  /** The other side makes us write, and does not read. */
  onOverflow(): void;
}

export class Outbox implements Flushable {
  /** Frames so far. */
  frames = 0;
  /** Writes so far. */
  writes = 0;
  readonly #carrier: Carrier;
  readonly #owner: OutboxOwner;
  readonly #reuses: boolean;
  readonly #flush = () => this.flush();
  #bytes: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Full, and not yet taken by the kernel. */
  readonly #full: Buffer[] = [];
  readonly #spare: Buffer[] = [];
  /** Where begins what has not been written. */
  #from = 0;
  #at = 0;
  #scheduled = false;
  /** Frames that have not been written. */
  #gathered = 0;
  #congested = false;
  #closed = false;

  constructor(carrier: Carrier, owner: OutboxOwner) {
    this.#carrier = carrier;
    this.#owner = owner;
    this.#reuses = copiesAtOnce(carrier.stream);
  }

  /** May DATA be written? If not, the session is told when it may. */
  get takesData(): boolean {
    return !this.#congested;
  }

  get takesHeads(): boolean {
    return !this.#congested || this.queuedBytes < HEADS_BYTES_MAX;
  }

  /** Given to us, and not yet taken by the kernel. */
  get queuedBytes(): number {
    return this.#at - this.#from + this.#carrier.stream.writableLength;
  }

  /** A frame without a payload. */
  empty(type: number, stream: number): void {
    this.#open(0, type, stream);
  }

  /** @param text latin1, a character a byte */
  text(type: number, stream: number, text: string): void {
    this.#open(text.length, type, stream);
    this.#at += this.#bytes.write(text, this.#at, "latin1");
  }

  /** @param chunk copied */
  bytes(type: number, stream: number, chunk: Buffer): void {
    this.#open(chunk.length, type, stream);
    this.#copy(chunk);
  }

  byte(type: number, stream: number, value: number): void {
    this.#open(1, type, stream);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  uint32(type: number, stream: number, value: number): void {
    this.#open(4, type, stream);
    writeUint32(this.#bytes, this.#at, value);
    this.#at += 4;
  }

  /** A head and all of its body. */
  whole(type: number, stream: number, head: string, body: Buffer): void {
    this.#open(HEAD_LENGTH_BYTES + head.length + body.length, type, stream);
    writeUint32(this.#bytes, this.#at, head.length);
    this.#at += HEAD_LENGTH_BYTES;
    this.#at += this.#bytes.write(head, this.#at, "latin1");
    if (body.length > 0) this.#copy(body);
  }

  /** Writes what was gathered. */
  flush(): void {
    this.#scheduled = false;
    if (this.#closed || this.#at === this.#from) return;
    const gathered = this.#bytes.subarray(this.#from, this.#at);
    this.#from = this.#at;
    this.#gathered = 0;
    this.writes += 1;
    if (!this.#carrier.writeBytes(gathered)) this.#congested = true;
    const { writableLength } = this.#carrier.stream;
    if (writableLength === 0) this.#reuse();
    else if (writableLength > QUEUE_BYTES_MAX) this.#owner.onOverflow();
  }

  drained(): void {
    this.#congested = false;
    if (this.#carrier.stream.writableLength === 0 && this.#at === this.#from) this.#reuse();
  }

  close(): void {
    this.#closed = true;
  }

  /** Makes room for a frame, and writes its header. */
  #open(length: number, type: number, stream: number): void {
    const bytes = HEADER_BYTES + length;
    // Behind what the peer has yet to read nothing would be there earlier.
    if (this.#gathered >= FRAMES_A_WRITE_MAX && this.#carrier.stream.writableLength === 0) this.#flushEarly();
    if (this.#at + bytes > this.#bytes.length) this.#makeRoom(bytes);
    if (!this.#scheduled) {
      this.#scheduled = true;
      // A single stream has no others to share a write with.
      if (this.#owner.streamCount <= 1) flushAtTurnEnd(this);
      else setImmediate(this.#flush);
    }
    this.#at = writeHeader(this.#bytes, this.#at, length, type, stream);
    this.frames += 1;
    this.#gathered += 1;
  }

  /** In the middle of a turn: what comes behind it is written when the turn ends, as was said. */
  #flushEarly(): void {
    const scheduled = this.#scheduled;
    this.flush();
    this.#scheduled = scheduled;
  }

  #makeRoom(bytes: number): void {
    this.#flushEarly();
    if (this.#at + bytes <= this.#bytes.length) return;
    if (this.#reuses && this.#bytes.length === BUFFER_BYTES) this.#full.push(this.#bytes);
    const spare = bytes <= BUFFER_BYTES ? this.#spare.pop() : undefined;
    this.#bytes = spare ?? Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, bytes));
    this.#from = 0;
    this.#at = 0;
  }

  /** The kernel has taken all that was written. */
  #reuse(): void {
    if (!this.#reuses) return;
    this.#from = 0;
    this.#at = 0;
    while (this.#full.length > 0) {
      const buffer = this.#full.pop() as Buffer;
      if (this.#spare.length < SPARE_MAX) this.#spare.push(buffer);
    }
  }

  #copy(chunk: Buffer): void {
    this.#bytes.set(chunk, this.#at);
    this.#at += chunk.length;
  }
}
