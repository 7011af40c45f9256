// One request that came over a link, and its answer. Its head is parsed and judged like any other: the link grants nothing that HTTP does
// not.

import { type Fault, faults } from "../../../http/message/faults.ts";
import { type Fields, fieldsOf } from "../../../http/message/fields.ts";
import { type RequestHead, RequestParser } from "../../../http/parsing/request-parser.ts";
import { hasBody } from "../../../http/server/request-reader.ts";
import type { RequestHandler } from "../../../http/server/server-exchange.ts";
import { MessageOutput } from "../../../link/message-output.ts";
import type { Stream } from "../../../link/stream.ts";
import type { StreamHandler } from "../../../link/stream-handler.ts";
import type { Cursor } from "../../../net/cursor.ts";
import type { ClientSide } from "../client-side.ts";
import { type LocalReply, refusalReply } from "../local-replies.ts";

export interface LinkLimits {
  readonly headBytesMax: number;
  readonly fieldsMax: number;
  /** 0: any size. */
  readonly bodyBytesMax: number;
}

export interface LinkExchangeParts {
  readonly stream: Stream;
  readonly limits: LinkLimits;
  readonly remoteAddress: string | undefined;
  /** A request whose head is one. */
  readonly onRequest: (client: ClientSide) => void;
  /** What is no request. @returns what is told to whoever sent it */
  readonly onFault: (fault: Fault) => LocalReply;
}

const NOBODY: RequestHandler = { onData() {}, onEnd() {}, onDrain() {}, onAbort() {} };

export class LinkExchange implements ClientSide, StreamHandler {
  handler: RequestHandler = NOBODY;
  keepAlive = true;
  started = false;
  readonly #parts: LinkExchangeParts;
  readonly #output: MessageOutput;
  #request: RequestHead | undefined;
  #bytes = 0;
  #over = false;
  #continued = false;

  constructor(parts: LinkExchangeParts) {
    this.#parts = parts;
    this.#output = new MessageOutput(parts.stream);
  }

  get request(): RequestHead {
    return this.#request as RequestHead;
  }

  get remoteAddress(): string | undefined {
    return this.#parts.remoteAddress;
  }

  pause(): void {
    this.#parts.stream.pause();
  }

  resume(): void {
    this.#parts.stream.resume();
  }

  continue(): void {
    if (this.#over || this.started || this.#continued) return;
    this.#continued = true;
    this.#parts.stream.informational("HTTP/1.1 100 Continue\r\n\r\n");
  }

  informational(status: number, reason: string, fields: Fields): boolean {
    if (this.#over || this.started) return true;
    return this.#parts.stream.informational(`HTTP/1.1 ${status} ${reason}\r\n${fields.text}\r\n`);
  }

  head(status: number, reason: string, fields: Fields): void {
    if (this.#over || this.started) return;
    this.started = true;
    const bodiless = this.#request?.method === "HEAD" || status === 204 || status === 304;
    const coding = fields.length < 0 && !bodiless ? "Transfer-Encoding: chunked\r\n" : "";
    this.#output.head(`HTTP/1.1 ${status} ${reason}\r\n${fields.text}${coding}\r\n`);
  }

  data(chunk: Buffer): boolean {
    return this.#over || this.#output.data(chunk);
  }

  end(trailers: readonly string[] = []): void {
    if (this.#over) return;
    this.#over = true;
    this.#output.end(trailers.length === 0 ? "" : fieldsOf(trailers).text);
  }

  breakOff(): void {
    if (this.#over) return;
    this.#over = true;
    // What has been given leaves before, so that the other side knows that an answer had begun.
    this.#output.flush();
    this.#parts.stream.reset("broken");
  }

  onHead(head: Cursor): void {
    if (this.#begin(head) && !hasBody(this.request)) this.handler.onEnd([]);
  }

  onWhole(head: Cursor, body: Buffer): void {
    if (!this.#begin(head) || !hasBody(this.request)) return;
    if (body.length > 0) this.onData(body);
    this.onEnd();
  }

  onData(chunk: Buffer): void {
    if (this.#over) return;
    const { framing } = this.request;
    this.#bytes += chunk.length;
    const { bodyBytesMax } = this.#parts.limits;
    if (framing.kind === "length" && this.#bytes > framing.length) this.#refuse(faults.cut);
    else if (bodyBytesMax > 0 && this.#bytes > bodyBytesMax) this.#refuse(faults.bodyTooLarge);
    else this.handler.onData(chunk);
  }

  onEnd(): void {
    if (this.#over) return;
    const { framing } = this.request;
    if (framing.kind !== "length" || this.#bytes === framing.length) this.handler.onEnd([]);
    else this.#refuse(faults.cut);
  }

  onWritable(): void {
    this.handler.onDrain();
  }

  onInformational(): void {}

  onFailure(): void {
    if (this.#over) return;
    this.#over = true;
    this.handler.onAbort("client-left");
  }

  /** @returns false when the head is none */
  #begin(head: Cursor): boolean {
    const parser = new RequestParser(this.#parts.limits);
    parser.read(head);
    this.#request = parser.head;
    if (parser.head !== undefined && head.left === 0) {
      this.#parts.onRequest(this);
      return true;
    }
    this.#parts.onFault(parser.fault ?? faults.cut).write(this);
    return false;
  }

  #refuse(fault: Fault): void {
    this.handler.onAbort(fault);
    if (!this.started) refusalReply(fault).write(this);
    this.breakOff();
  }
}
