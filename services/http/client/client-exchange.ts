// One request to a server and its response, from the side of whoever asks. The request's body may still be on its way when the
// response comes, and even when it ends. Behind the end, a failure or an abort nothing is heard and nothing is sent.

import type { Output } from "../../net/outgoing.ts";
import { type Fields, fieldsOf } from "../message/fields.ts";
import { BodyWriter, CHUNKS } from "../message/message-writer.ts";
import type { ResponseHead } from "../parsing/response-parser.ts";

export interface RequestStart {
  readonly method: string;
  /** As on the request line. */
  readonly target: string;
  readonly fields: Fields;
  /** Will a body follow? Where the fields say no length, it goes in chunks. */
  readonly hasBody: boolean;
  /** From the end of the request to the head of the final response, however many 1xx come before. */
  readonly responseTimeoutMs: number;
}

/** Hears what the server says. Exactly one of onEnd() and onFailure() is the last, unless the exchange is aborted. */
export interface ResponseHandler {
  /** A 1xx, a 100 (Continue) too. */
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** A piece of the body, borrowed until it returns. */
  onData(chunk: Buffer): void;
  /** @param trailers flat */
  onEnd(trailers: readonly string[]): void;
  onFailure(failure: ExchangeFailure): void;
  /** The request's body may go on, after data() has said false. */
  onDrain(): void;
}

export interface ExchangeFailure {
  /** `truncated`: the response had begun. `reset`: the connection ended or broke before it. */
  readonly kind: "refused" | "connect-timeout" | "reset" | "response-timeout" | "malformed" | "truncated";
  /** A system's error code, a fault's reason, or what did not come in time. */
  readonly reason: string;
  /** May any of the request have reached the server? */
  readonly sent: boolean;
  /** Had the connection carried a request before, and nothing come of this one? The server may have closed it without having seen it. */
  readonly reused: boolean;
}

/** What an exchange needs of its connection. */
export interface ExchangeCarrier {
  readonly output: Output;
  onRequestWhole(): void;
  pause(): void;
  resume(): void;
  abort(): void;
}

export class ClientExchange {
  readonly handler: ResponseHandler;
  readonly start: RequestStart;
  /** Has the request been given whole? */
  whole = false;
  /** Has the head of the final response come? */
  started = false;
  /** Has it ended, failed or been aborted? */
  over = false;
  readonly #carrier: ExchangeCarrier;
  #body: BodyWriter | undefined;

  constructor(start: RequestStart, handler: ResponseHandler, carrier: ExchangeCarrier) {
    this.start = start;
    this.handler = handler;
    this.#carrier = carrier;
  }

  /** Writes the head; without a body that is all. */
  begin(): void {
    const { method, target, fields, hasBody } = this.start;
    const length = fields.length >= 0 ? fields.length : hasBody ? CHUNKS : 0;
    const coding = length === CHUNKS ? "Transfer-Encoding: chunked\r\n" : "";
    this.#carrier.output.text(`${method} ${target} HTTP/1.1\r\n${fields.text}${coding}\r\n`);
    if (length !== 0) this.#body = new BodyWriter(this.#carrier.output, length);
    else this.whole = true;
  }

  /** @param chunk borrowed until it returns. @returns false when the server is slower: then onDrain() is called */
  data(chunk: Buffer): boolean {
    if (this.over || this.whole || this.#body === undefined) return true;
    if (!this.#body.data(chunk)) this.abort();
    return this.#carrier.output.writable;
  }

  /** @param trailers flat; written only where the body is in chunks */
  end(trailers: readonly string[] = []): void {
    if (this.over || this.whole || this.#body === undefined) return;
    if (!this.#body.end(trailers.length === 0 ? undefined : fieldsOf(trailers))) {
      this.abort();
      return;
    }
    this.whole = true;
    this.#carrier.onRequestWhole();
  }

  /** Holds the response back; what has been read already may still come. */
  pause(): void {
    if (!this.over) this.#carrier.pause();
  }

  resume(): void {
    if (!this.over) this.#carrier.resume();
  }

  /** Gives it up, and the connection with it: the server must not take what it has of the request for whole. */
  abort(): void {
    if (this.over) return;
    this.over = true;
    this.#carrier.abort();
  }
}
