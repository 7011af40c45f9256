// Reads what a server says on one connection, a response at a time: what comes before the final one, its head, its body, and
// whether it has left a doubt about where it ends.

import type { Cursor } from "../../net/cursor.ts";
import { type Fault, faults } from "../message/faults.ts";
import { responseFraming } from "../message/framing.ts";
import { headerId } from "../message/known-headers.ts";
import { BodyDecoder, type BodyLimits } from "../parsing/body-decoder.ts";
import { type ResponseHead, ResponseParser } from "../parsing/response-parser.ts";

/** Whoever asked. It may answer on the spot, with the end of the reading or with the next request. */
export interface ResponseSink {
  onInformational(head: ResponseHead): void;
  onHead(head: ResponseHead): void;
  /** Borrowed until it returns. */
  onBody(chunk: Buffer): void;
  onResponseEnd(trailers: readonly string[]): void;
  onFault(fault: Fault): void;
}

/** A server may well announce something before it answers, but not for ever. */
const INFORMATIONAL_MAX = 64;

export class ResponseReader {
  /** Does only the end of the connection end the body? */
  endless = false;
  /** May another request follow on the connection? Known at the end of the response. */
  reusable = false;
  /** How long the server says that it keeps the connection; undefined: it does not say. */
  keptMs: number | undefined;
  readonly #sink: ResponseSink;
  readonly #limits: BodyLimits;
  readonly #parser: ResponseParser;
  #method: string | undefined;
  #informational = 0;
  #body: BodyDecoder | undefined;

  constructor(sink: ResponseSink, limits: BodyLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#parser = new ResponseParser(limits);
  }

  /** Has anything come of a response whose final head has not? */
  get begun(): boolean {
    return this.#informational > 0 || this.#parser.begun;
  }

  /** @param method of the request whose response comes next */
  expect(method: string): void {
    this.#method = method;
    this.#informational = 0;
    this.endless = false;
  }

  /** Nothing is expected any more. */
  stop(): void {
    this.#method = undefined;
    this.#body = undefined;
  }

  /** Reads as long as something is expected; what is left then is what nobody asked for. */
  read(cursor: Cursor): void {
    while (cursor.left > 0 && this.#method !== undefined) {
      if (this.#body !== undefined) this.#readBody(cursor, this.#body);
      else this.#readHead(cursor, this.#method);
    }
  }

  #readHead(cursor: Cursor, method: string): void {
    const parser = this.#parser;
    parser.read(cursor);
    if (parser.fault !== undefined) this.#break(parser.fault);
    else if (parser.head !== undefined) {
      const { head } = parser;
      parser.reset();
      if (head.status < 200) this.#readInformational(head);
      else this.#start(head, { method, cursor });
    }
  }

  #readInformational(head: ResponseHead): void {
    this.#informational += 1;
    if (head.status === 101) this.#break(faults.switched);
    else if (this.#informational > INFORMATIONAL_MAX) this.#break(faults.informationalTooMany);
    else this.#sink.onInformational(head);
  }

  #start(head: ResponseHead, { method, cursor }: { readonly method: string; readonly cursor: Cursor }): void {
    const framing = responseFraming(head, method, head.status);
    if (framing.kind === "fault") {
      this.#break(framing.fault);
      return;
    }
    this.endless = framing.kind === "until-close";
    // RFC 9112 section 6.1: a coding in HTTP/1.0 is faulty framing, so what is behind it is not to be trusted.
    this.reusable = head.keepAlive && !this.endless && !(head.minor === 0 && framing.kind === "chunked");
    this.keptMs = head.has(headerId["keep-alive"]) ? keptMsOf(head) : undefined;
    const body = new BodyDecoder(framing, this.#limits);
    this.#body = body;
    this.#sink.onHead(head);
    if (body.done && this.#body === body) this.#end(body, cursor);
  }

  #readBody(cursor: Cursor, body: BodyDecoder): void {
    body.read(cursor);
    if (body.fault !== undefined) {
      this.#break(body.fault);
      return;
    }
    if (body.dataTo > body.dataFrom) this.#sink.onBody(cursor.bytes.subarray(body.dataFrom, body.dataTo));
    if (body.done && this.#body === body) this.#end(body, cursor);
  }

  #end(body: BodyDecoder, cursor: Cursor): void {
    // What is behind it answers nobody (RFC 9112 section 9.2), and what comes next would be taken for an answer too.
    if (cursor.left > 0) this.reusable = false;
    this.stop();
    this.#sink.onResponseEnd(body.trailers);
  }

  #break(fault: Fault): void {
    this.stop();
    this.#sink.onFault(fault);
  }
}

/** `Keep-Alive: timeout=5`, in seconds. */
function keptMsOf(head: ResponseHead): number | undefined {
  const seconds = /(?:^|[,;\s])timeout=(\d{1,6})/i.exec(head.list(headerId["keep-alive"]) ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1_000;
}
