// One request that came over a link, and its answer. Its head is parsed and judged like any other: the link grants nothing that HTTP does
// not.

import { type Fault, faults } from "../../../http/message/faults.ts";
import { type Fields, fieldsOf } from "../../../http/message/fields.ts";
import { RequestHead } from "../../../http/parsing/request-parser.ts";
import type { WholeHeads } from "../../../http/parsing/whole-heads.ts";
import { hasBody } from "../../../http/server/request-reader.ts";
import type { RequestHandler } from "../../../http/server/server-exchange.ts";
import { MessageOutput } from "../../../link/message-output.ts";
import type { Stream } from "../../../link/stream.ts";
import type { StreamHandler } from "../../../link/stream-handler.ts";
import type { Cursor } from "../../../net/cursor.ts";
import type { ClientSide } from "../client-side.ts";
import { type LocalReply, refusalReply } from "../local-replies.ts";

/** What the exchanges of one link share. */
export interface LinkContext {
  readonly heads: WholeHeads<RequestHead>;
  /** 0: any size. */
  readonly bodyBytesMax: number;
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
  readonly #stream: Stream;
  readonly #context: LinkContext;
  readonly #output: MessageOutput;
  #request: RequestHead | undefined;
  #bytes = 0;
  #over = false;
  #continued = false;

  constructor(stream: Stream, context: LinkContext) {
    this.#stream = stream;
    this.#context = context;
    this.#output = new MessageOutput(stream);
  }

  get request(): RequestHead {
    return this.#request as RequestHead;
  }

  get remoteAddress(): string | undefined {
    return this.#context.remoteAddress;
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  continue(): void {
    if (this.#over || this.started || this.#continued) return;
    this.#continued = true;
    this.#stream.informational("HTTP/1.1 100 Continue\r\n\r\n");
  }

  informational(status: number, reason: string, fields: Fields): boolean {
    if (this.#over || this.started) return true;
    return this.#stream.informational(`HTTP/1.1 ${status} ${reason}\r\n${fields.text}\r\n`);
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
    this.#stream.reset("broken");
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
    const { bodyBytesMax } = this.#context;
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
    const request = this.#context.heads.read(head);
    if (request instanceof RequestHead) {
      this.#request = request;
      this.#context.onRequest(this);
      return true;
    }
    this.#context.onFault(request).write(this);
    return false;
  }

  #refuse(fault: Fault): void {
    this.handler.onAbort(fault);
    if (!this.started) refusalReply(fault).write(this);
    this.breakOff();
  }
}
