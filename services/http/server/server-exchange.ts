// One request and its answer on a client's connection. The answer is written whenever it is there; where others have to leave
// before it, it is held. What is given behind the end, or behind an abort, is dropped.

import type { Duplex } from "node:stream";
import type { HeldOutput, Output } from "../../net/outgoing.ts";
import type { Transport } from "../../net/transport.ts";
import type { Fault } from "../message/faults.ts";
import { type Fields, fieldsOf } from "../message/fields.ts";
import { type BodyLength, BodyWriter, CHUNKS, UNTIL_CLOSE } from "../message/message-writer.ts";
import type { RequestHead } from "../parsing/request-parser.ts";

/** Hears of one request what comes behind its head. */
export interface RequestHandler {
  /** A piece of the body, borrowed until it returns. */
  onData(chunk: Buffer): void;
  /** The body is whole; not called where there is none. */
  onEnd(trailers: readonly string[]): void;
  /** The answer may go on, after data() has said false. */
  onDrain(): void;
  /** The client has ended its side: it may have left, or it waits for its answer (RFC 9112 section 9.6). */
  onClientEnded?(): void;
  /** Nobody waits for the answer: the client is gone, or what it sent turned out to be no request. */
  onAbort(why: "client-left" | Fault): void;
}

/** A connection that is no longer HTTP's. */
export interface HandedOver {
  readonly transport: Transport;
  /** What has been read behind the request. */
  readonly unread: Buffer;
}

/** What an exchange needs of its connection. */
export interface ExchangeConnection {
  readonly remoteAddress: string | undefined;
  /** Must the connection end soon? */
  readonly draining: boolean;
  /** Where the exchange that comes next writes to, until it takes its turn. */
  outputForNext(): Output;
  onBodyPaused(exchange: ServerExchange): void;
  onBodyResumed(exchange: ServerExchange): void;
  /** An exchange is over from our side: its answer is whole or broken off. */
  onOver(): void;
  handOver(exchange: ServerExchange): HandedOver;
}

const NOBODY: RequestHandler = { onData() {}, onEnd() {}, onDrain() {}, onAbort() {} };

const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";
const CHUNKED_LINE = "Transfer-Encoding: chunked\r\n";
const CLOSE_LINE = "Connection: close\r\n";
const KEEP_ALIVE_LINE = "Connection: keep-alive\r\n";

export class ServerExchange {
  readonly request: RequestHead;
  handler: RequestHandler = NOBODY;
  /** May another request follow on the connection? Can be taken back until the answer's head is given. */
  keepAlive: boolean;
  /** Has the request come whole? */
  received = false;
  /** Has any of its body come? */
  bodyBegun = false;
  bodyPaused = false;
  /** Is the answer given whole, or the exchange given up? */
  over = false;
  /** Must the connection end, for the client to see that the answer is not whole? */
  broken = false;
  readonly #connection: ExchangeConnection;
  #output: Output;
  #body: BodyWriter | undefined;
  #endless = false;
  #continued = false;

  constructor(request: RequestHead, connection: ExchangeConnection) {
    this.request = request;
    this.keepAlive = request.keepAlive;
    this.#connection = connection;
    this.#output = connection.outputForNext();
  }

  get remoteAddress(): string | undefined {
    return this.#connection.remoteAddress;
  }

  /** Has the head of the answer been given? */
  get started(): boolean {
    return this.#body !== undefined;
  }

  /** Does only the end of the connection say that the answer is whole? */
  get endless(): boolean {
    return this.#endless;
  }

  get writable(): boolean {
    return this.#output.writable;
  }

  /** Has the client said that it sends its body only when it is told to, and was not told yet? */
  get awaitsContinue(): boolean {
    return this.request.expectsContinue && !this.#continued && !this.received && !this.bodyBegun;
  }

  /** Body pieces stop at once; what has come is kept. */
  pause(): void {
    if (this.bodyPaused || this.received) return;
    this.bodyPaused = true;
    this.#connection.onBodyPaused(this);
  }

  resume(): void {
    if (!this.bodyPaused) return;
    this.bodyPaused = false;
    this.#connection.onBodyResumed(this);
  }

  /** Tells a client that waits for it to send its body, once. */
  continue(): void {
    if (this.over || this.started || this.#continued || !this.request.expectsContinue) return;
    this.#continued = true;
    this.#output.text(CONTINUE);
    // From now on it is the client that is waited for.
    this.#connection.onBodyResumed(this);
  }

  /** A 1xx; never to an HTTP/1.0 client (RFC 9110 section 15.2). @returns false when the client is slower */
  informational(status: number, reason: string, fields: Fields): boolean {
    if (this.over || this.started || this.request.minor === 0) return true;
    this.#output.text(`HTTP/1.1 ${status} ${reason}\r\n${fields.text}\r\n`);
    return this.#output.writable;
  }

  head(status: number, reason: string, fields: Fields): void {
    if (this.over || this.started) return;
    const length = this.#lengthOf(status, fields.length);
    this.#endless = length === UNTIL_CLOSE;
    // Whether it sends its body all the same, which it was not told to, cannot be known: nothing may follow.
    if (this.awaitsContinue || this.#endless || this.#connection.draining) this.keepAlive = false;
    const coding = length === CHUNKS ? CHUNKED_LINE : "";
    const connection = this.keepAlive ? (this.request.minor === 0 ? KEEP_ALIVE_LINE : "") : CLOSE_LINE;
    this.#output.text(`HTTP/1.1 ${status} ${reason}\r\n${fields.text}${coding}${connection}\r\n`);
    this.#body = new BodyWriter(this.#output, length);
  }

  /** @param chunk borrowed until it returns. @returns false when the client is slower: then onDrain() is called */
  data(chunk: Buffer): boolean {
    if (this.over || this.#body === undefined) return true;
    if (!this.#body.data(chunk)) this.breakOff();
    return this.#output.writable;
  }

  /** @param trailers flat; written only where the answer is in chunks */
  end(trailers: readonly string[] = []): void {
    if (this.over || this.#body === undefined) return;
    const whole = this.#body.end(trailers.length === 0 ? undefined : fieldsOf(trailers));
    if (!whole) {
      this.breakOff();
      return;
    }
    this.over = true;
    this.#connection.onOver();
  }

  /** Ends an answer that has begun so that the client sees that it is not whole (RFC 9112 section 8). */
  breakOff(): void {
    if (this.over) return;
    this.over = true;
    this.broken = true;
    this.#connection.onOver();
  }

  /**
   * For a request that may change the protocol: its connection as a stream that begins with the request itself. It is paused, and
   * nobody listens to it but who counts it, not even for errors; `server.emit("connection", stream)` and `stream.resume()` give it to
   * node:http.
   */
  handOver(): Duplex {
    const { transport, unread } = this.handOverTransport();
    return transport.release(Buffer.concat([Buffer.from(this.request.text, "latin1"), unread]));
  }

  /** The same for another protocol of ours, which begins behind the request. */
  handOverTransport(): HandedOver {
    this.over = true;
    return this.#connection.handOver(this);
  }

  /** All that had to leave before it has left. */
  takeTurn(output: Output): void {
    const held = this.#output as HeldOutput;
    const waited = !held.writable;
    held.moveTo(output);
    this.#output = output;
    if (this.#body !== undefined) this.#body.output = output;
    if (waited && output.writable) this.drained();
  }

  drained(): void {
    if (!this.over) this.handler.onDrain();
  }

  abort(why: "client-left" | Fault): void {
    if (this.over) return;
    this.over = true;
    this.handler.onAbort(why);
  }

  #lengthOf(status: number, said: number): BodyLength {
    if (this.request.method === "HEAD" || status === 204 || status === 304) return 0;
    if (said >= 0) return said;
    return this.request.minor === 1 ? CHUNKS : UNTIL_CLOSE;
  }
}
