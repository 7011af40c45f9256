// A member's answer on its way to the client: its head without what belongs to the hop, its body as it comes and at the
// client's pace, its trailers where the client asked for them. However an attempt is made, it answers through this.

import type { ServerResponse } from "node:http";
import { hasNoBody } from "../../http/framing.ts";
import { type ResponseHop, responseHeaders, trailersFor } from "../rules/headers.ts";
import type { RequestExchange } from "./request-exchange.ts";

export class Answer {
  readonly #exchange: RequestExchange;
  readonly #hop: ResponseHop;
  #status = 0;
  #flushed = false;

  constructor(exchange: RequestExchange, hop: ResponseHop) {
    this.#exchange = exchange;
    this.#hop = hop;
  }

  /** 0 while no head has come. */
  get status(): number {
    return this.#status;
  }

  /** A 1xx goes on at once, but never to an HTTP/1.0 client (RFC 9110 section 15.2). */
  informational(status: number, reason: string, raw: readonly string[]): void {
    const { request, response } = this.#exchange;
    if (request.httpVersion !== "1.1" || response.headersSent) return;
    writeInformational(response, `HTTP/1.1 ${status} ${reason}`, responseHeaders(raw, { ...this.#hop, status }));
  }

  /** @returns true when that is the whole answer: it has no body whatever its headers say (RFC 9112 section 6.3) */
  head(status: number, reason: string | undefined, raw: readonly string[]): boolean {
    const { request, response } = this.#exchange;
    this.#status = status;
    response.writeHead(status, reason, responseHeaders(raw, { ...this.#hop, status }));
    if (hasNoBody(status, request.method as string)) return true;
    // The head of a slow body goes ahead of it; that of a short one by then has gone in the same packet.
    queueMicrotask(() => this.#flush());
    return false;
  }

  /** @returns false when the client is slower: `resume` is called when it has caught up */
  data(chunk: Buffer, resume: () => void): boolean {
    const { response } = this.#exchange;
    this.#flushed = true;
    if (response.write(chunk)) return true;
    response.once("drain", resume);
    return false;
  }

  end(rawTrailers: readonly string[]): void {
    const { request, response } = this.#exchange;
    const trailers = trailersFor(request.rawHeaders, rawTrailers);
    if (trailers.length > 0) response.addTrailers(trailers);
    response.end();
  }

  /** A clean end would tell the client that it has everything (RFC 9112 section 8). */
  breakOff(): void {
    const { request, response } = this.#exchange;
    // What an HTTP/1.0 client gets may have no end but the connection's, so that a FIN would be a clean one.
    if (request.httpVersion === "1.0") response.socket?.resetAndDestroy();
    response.destroy();
  }

  #flush(): void {
    const { response } = this.#exchange;
    if (this.#flushed || response.writableEnded || response.destroyed) return;
    this.#flushed = true;
    response.flushHeaders();
  }
}

/** node:http can write only some 1xx, and those with some headers; `_writeRaw` is what it does that with, in order. */
function writeInformational(response: ServerResponse, statusLine: string, flat: readonly string[]): void {
  let head = `${statusLine}\r\n`;
  for (let index = 0; index + 1 < flat.length; index += 2) head += `${flat[index]}: ${flat[index + 1]}\r\n`;
  (response as unknown as { _writeRaw: (data: string, encoding: string) => void })._writeRaw(`${head}\r\n`, "latin1");
}
