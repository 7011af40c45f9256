// Cuts what a client sends into heads and bodies, as fast as these are taken: what may not be read yet is kept, and once that is
// much, `full` says so, for the rest to be left in the socket.

import { Backlog } from "../../net/backlog.ts";
import type { Cursor } from "../../net/cursor.ts";
import type { Fault } from "../message/faults.ts";
import { BodyDecoder, type BodyLimits } from "../parsing/body-decoder.ts";
import { type RequestHead, RequestParser } from "../parsing/request-parser.ts";

/** Whoever takes what was read. It may answer on the spot, and so change what it takes next. */
export interface RequestSink {
  readonly takesHead: boolean;
  readonly takesBody: boolean;
  /** A body follows it if its framing says so, even one of no byte. */
  onHead(head: RequestHead): void;
  /** Borrowed until it returns. */
  onBody(chunk: Buffer): void;
  onBodyEnd(trailers: readonly string[]): void;
  /** Nothing behind it can be read any more. */
  onFault(fault: Fault): void;
}

const BACKLOG_BYTES_MAX = 16 * 1024;

export class RequestReader {
  readonly #sink: RequestSink;
  readonly #limits: BodyLimits;
  readonly #parser: RequestParser;
  readonly #backlog = new Backlog();
  #body: BodyDecoder | undefined;
  /** What is being read at this moment. */
  #source: Cursor | undefined;
  #broken = false;
  #lastSaid = false;

  constructor(sink: RequestSink, limits: BodyLimits) {
    this.#sink = sink;
    this.#limits = limits;
    this.#parser = new RequestParser(limits);
  }

  /** Has a head come in part? */
  get inHead(): boolean {
    return this.#parser.begun;
  }

  /** Is there a body that has not come whole? */
  get inBody(): boolean {
    return this.#body !== undefined;
  }

  /** Has all been read that came? */
  get empty(): boolean {
    return this.#backlog.empty && (this.#source === undefined || this.#source.left === 0);
  }

  /** Has all been read, and has the client said that nothing more comes (RFC 9112 section 9.6)? A body may have an odd CRLF behind it. */
  get heard(): boolean {
    return this.#lastSaid && this.empty;
  }

  get full(): boolean {
    return this.#backlog.cursor.left > BACKLOG_BYTES_MAX;
  }

  read(cursor: Cursor): void {
    if (this.#backlog.empty) this.#run(cursor);
    if (cursor.left > 0) this.#backlog.take(cursor);
  }

  /** Reads what was kept, as far as it is taken by now. */
  goOn(): void {
    if (this.#source === undefined) this.#run(this.#backlog.cursor);
  }

  /** A copy of what came and was not read; it is then gone from here. */
  takeUnread(): Buffer {
    const cursor = this.#source ?? this.#backlog.cursor;
    const unread = Buffer.from(cursor.bytes.subarray(cursor.at, cursor.end));
    cursor.at = cursor.end;
    return unread;
  }

  #run(cursor: Cursor): void {
    this.#source = cursor;
    while (cursor.left > 0 && this.#mayRead()) {
      if (this.#body === undefined) this.#readHead(cursor);
      else this.#readBody(cursor, this.#body);
    }
    this.#source = undefined;
  }

  #mayRead(): boolean {
    return !this.#broken && (this.#body === undefined ? this.#sink.takesHead : this.#sink.takesBody);
  }

  #readHead(cursor: Cursor): void {
    const parser = this.#parser;
    parser.read(cursor);
    if (parser.fault !== undefined) {
      this.#break(parser.fault);
      return;
    }
    const { head } = parser;
    if (head === undefined) return;
    parser.reset();
    if (hasBody(head)) this.#body = new BodyDecoder(head.framing, this.#limits);
    else this.#lastSaid = !head.keepAlive;
    this.#sink.onHead(head);
  }

  #readBody(cursor: Cursor, body: BodyDecoder): void {
    body.read(cursor);
    if (body.fault !== undefined) {
      this.#break(body.fault);
      return;
    }
    if (body.dataTo > body.dataFrom) this.#sink.onBody(cursor.bytes.subarray(body.dataFrom, body.dataTo));
    if (!body.done) return;
    this.#body = undefined;
    this.#sink.onBodyEnd(body.trailers);
  }

  #break(fault: Fault): void {
    this.#broken = true;
    this.#sink.onFault(fault);
  }
}

/** A request has a body exactly when it says so (RFC 9112 section 6.3). */
export function hasBody({ framing }: Pick<RequestHead, "framing">): boolean {
  return framing.kind === "chunked" || (framing.kind === "length" && framing.length > 0);
}
