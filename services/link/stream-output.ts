// The outgoing message of a stream, in pieces or whole. It sends what the peer's credit and the connection allow, and queues the rest
// in order. Anything given behind the end of the message, or after the stream is over, is dropped.

import type { OrderFault } from "./faults.ts";
import {
  CREDIT_MAX,
  DATA,
  DATA_BYTES_MAX,
  END,
  HEAD,
  INFORMATIONAL,
  INFORMATIONAL_BYTES_MAX,
  TRAILERS_BYTES_MAX,
  WHOLE,
  WHOLE_BODY_BYTES_MAX,
} from "./frames.ts";
import type { Outbox } from "./outbox.ts";
import { Pending } from "./pending.ts";
import type { WindowBudget } from "./window.ts";

/** What a stream needs of its session. */
export interface StreamSession {
  readonly outbox: Outbox;
  readonly windows: WindowBudget;
  /** What the other side gives each new stream, and the largest head that it takes. */
  readonly peer: { readonly windowBytes: number; readonly headBytesMax: number };
  /** Calls onRoom() once the other side has caught up. */
  awaitRoom(stream: StreamOutput): void;
  /** The stream is over, and its number free. */
  forget(stream: StreamOutput): void;
}

export abstract class StreamOutput {
  readonly id: number;
  /** Is the exchange over, well or not? */
  over = false;
  /** Has all of our message been sent? */
  sent = false;
  protected readonly session: StreamSession;
  /** What may still be sent of our body. */
  #credit: number;
  #pending: Pending | undefined;
  #headGiven = false;
  /** Was all of our message given to us? */
  #ended = false;
  #toldToWait = false;

  constructor(id: number, session: StreamSession) {
    this.id = id;
    this.session = session;
    this.#credit = session.peer.windowBytes;
  }

  /**
   * Sends a head that comes before the one that counts; one that is too long is left out.
   * @returns false when one should wait for onWritable(); it is kept all the same
   */
  informational(head: string): boolean {
    if (this.over || this.#headGiven || head.length > INFORMATIONAL_BYTES_MAX) return true;
    this.#text(INFORMATIONAL, head);
    return this.#goesOn();
  }

  /** Sends the head; write() and end() go on. @param head latin1, a character a byte, at most what the session takes */
  head(head: string): void {
    if (this.over || this.#headGiven) return;
    this.#headGiven = true;
    if (head.length > this.session.peer.headBytesMax) this.onHeadTooLong();
    else this.#text(HEAD, head);
  }

  /** Sends all of the message. @param body borrowed until it returns */
  whole(head: string, body: Buffer): void {
    if (this.over || this.#headGiven) return;
    const { outbox, peer } = this.session;
    const fits = body.length <= WHOLE_BODY_BYTES_MAX && body.length <= this.#credit && head.length <= peer.headBytesMax;
    if (!fits || this.#pending !== undefined || !outbox.takesHeads) {
      this.head(head);
      if (body.length > 0) this.write(body);
      this.end();
      return;
    }
    this.#headGiven = true;
    this.#ended = true;
    outbox.whole(WHOLE, this.id, head, body);
    this.#allSent();
  }

  /** @param chunk borrowed until it returns. @returns false when one should wait for onWritable(); it is kept all the same */
  write(chunk: Buffer): boolean {
    if (this.over || this.#ended || !this.#headGiven) return true;
    let sent = 0;
    while (sent < chunk.length && this.#takesData) sent += this.#data(chunk, sent);
    if (sent < chunk.length) this.#pend().addBytes(DATA, chunk.subarray(sent));
    return this.#goesOn();
  }

  /** @param trailers latin1; too long ones are left out */
  end(trailers = ""): void {
    if (this.over || this.#ended || !this.#headGiven) return;
    this.#ended = true;
    this.#toldToWait = false;
    this.#text(END, trailers.length > TRAILERS_BYTES_MAX ? "" : trailers);
    if (this.#pending === undefined) this.#allSent();
  }

  onWindow(bytes: number): OrderFault | undefined {
    this.#credit += bytes;
    if (this.#credit > CREDIT_MAX) return "credit-overflow";
    this.onRoom();
    return undefined;
  }

  /** Something more may be sent: credit has come, or the other side has caught up. */
  onRoom(): void {
    while (this.#pending !== undefined && this.#sendFirst(this.#pending));
    if (this.over) return;
    if (!this.#takesData) this.#awaitRoom();
    else if (this.#toldToWait) {
      this.#toldToWait = false;
      this.onWritable();
    }
  }

  /** Forgets what has not been sent. */
  protected drop(): void {
    this.#pending?.clear();
    this.#pending = undefined;
  }

  /** The head is longer than the other side takes. */
  protected abstract onHeadTooLong(): void;
  protected abstract onSent(): void;
  protected abstract onWritable(): void;

  get #takesData(): boolean {
    return this.#pending === undefined && this.#credit > 0 && this.session.outbox.takesData;
  }

  /** If not, onWritable() says when. */
  #goesOn(): boolean {
    if (this.#takesData) return true;
    this.#toldToWait = true;
    this.#awaitRoom();
    return false;
  }

  /** Sends one frame of it. @returns how many bytes */
  #data(chunk: Buffer, from: number): number {
    const bytes = Math.min(chunk.length - from, this.#credit, DATA_BYTES_MAX);
    this.session.outbox.bytes(DATA, this.id, bytes === chunk.length ? chunk : chunk.subarray(from, from + bytes));
    this.#credit -= bytes;
    return bytes;
  }

  #text(type: number, text: string): void {
    if (this.#pending === undefined && this.#takesText(type, text.length)) this.#sendText(type, text);
    else {
      this.#pend().add(type, text);
      this.#awaitRoom();
    }
  }

  #takesText(type: number, bytes: number): boolean {
    return this.session.outbox.takesHeads && (type !== INFORMATIONAL || bytes <= this.#credit);
  }

  #sendText(type: number, text: string): void {
    if (type === INFORMATIONAL) this.#credit -= text.length;
    this.session.outbox.text(type, this.id, text);
  }

  #pend(): Pending {
    this.#pending ??= new Pending();
    return this.#pending;
  }

  /** Where only credit is missing, onWindow() goes on. */
  #awaitRoom(): void {
    if (!this.session.outbox.takesData) this.session.awaitRoom(this);
  }

  /** Sends what of the first frame may be sent. @returns whether to go on */
  #sendFirst(pending: Pending): boolean {
    const { type } = pending;
    if (type === DATA) {
      if (this.#credit === 0 || !this.session.outbox.takesData) return false;
      const chunk = pending.bytes(this.#credit);
      this.#credit -= chunk.length;
      this.session.outbox.bytes(DATA, this.id, chunk);
      pending.taken(chunk.length);
    } else if (this.#takesText(type, pending.length)) this.#sendText(type, pending.takeText());
    else return false;
    if (!pending.empty) return true;
    this.#pending = undefined;
    if (this.#ended) this.#allSent();
    return true;
  }

  #allSent(): void {
    this.sent = true;
    this.onSent();
  }
}
