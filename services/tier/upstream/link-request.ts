// One request to a proxy over a link, and its response. To whoever asks it is what an exchange on a connection of HTTP/1.1 is
// (http/client/client-exchange.ts).

import type { ExchangeFailure, RequestStart, ResponseHandler } from "../../http/client/client-exchange.ts";
import { faults } from "../../http/message/faults.ts";
import { responseFraming } from "../../http/message/framing.ts";
import { TEXT, TOKEN } from "../../http/parsing/bytes.ts";
import { ResponseHead } from "../../http/parsing/response-parser.ts";
import type { WholeHeads } from "../../http/parsing/whole-heads.ts";
import { MessageOutput } from "../../link/message-output.ts";
import type { Session } from "../../link/session.ts";
import type { Stream } from "../../link/stream.ts";
import type { StreamFailure, StreamHandler } from "../../link/stream-handler.ts";
import type { Cursor } from "../../net/cursor.ts";
import { Deadline, type Expirable } from "../../net/timers.ts";

/** A server may well announce something before it answers, but not for ever. */
const INFORMATIONAL_MAX = 64;

export interface LinkRequestLimits {
  readonly headBytesMax: number;
  readonly fieldsMax: number;
  readonly idleTimeoutMs: number;
}

export interface LinkRequestParts {
  readonly start: RequestStart;
  readonly handler: ResponseHandler;
  readonly limits: LinkRequestLimits;
  /** The link's own. */
  readonly heads: WholeHeads<ResponseHead>;
}

export class LinkRequest implements StreamHandler, Expirable {
  readonly #parts: LinkRequestParts;
  readonly #deadline = new Deadline(this);
  #stream: Stream | undefined;
  #output: MessageOutput | undefined;
  #whole = false;
  #started = false;
  #over = false;
  #informational = 0;

  constructor(parts: LinkRequestParts) {
    this.#parts = parts;
  }

  /** @returns false when the session takes no more, or not such a long head: nothing was sent, and nobody is told */
  begin(session: Session): boolean {
    const { method, target, fields, hasBody } = this.#parts.start;
    const coding = hasBody && fields.length < 0 ? "Transfer-Encoding: chunked\r\n" : "";
    const head = `${method} ${target} HTTP/1.1\r\n${fields.text}${coding}\r\n`;
    const stream = head.length <= session.peer.headBytesMax ? session.open(this) : undefined;
    if (stream === undefined) return false;
    this.#stream = stream;
    this.#output = new MessageOutput(stream);
    this.#output.head(head);
    if (!hasBody) this.end();
    return true;
  }

  /** @returns false when the proxy is slower: then onDrain() is called */
  data(chunk: Buffer): boolean {
    return this.#over || this.#whole || (this.#output as MessageOutput).data(chunk);
  }

  end(): void {
    if (this.#over || this.#whole) return;
    this.#whole = true;
    this.#output?.end();
    if (!this.#started) this.#deadline.set(this.#parts.start.responseTimeoutMs);
  }

  pause(): void {
    if (this.#over) return;
    this.#stream?.pause();
    if (this.#started) this.#deadline.clear();
  }

  resume(): void {
    if (this.#over) return;
    this.#stream?.resume();
    if (this.#started) this.#deadline.set(this.#parts.limits.idleTimeoutMs);
  }

  abort(): void {
    if (this.#over) return;
    this.#finish();
    this.#stream?.reset("cancelled");
  }

  onInformational(bytes: Cursor): void {
    const head = this.#parse(bytes);
    this.#informational += 1;
    if (head === undefined) return;
    if (this.#informational > INFORMATIONAL_MAX) this.#fail("malformed", faults.informationalTooMany.reason);
    else if (head.status === 101 || head.status > 199) this.#fail("malformed", faults.switched.reason);
    else this.#parts.handler.onInformational(head);
  }

  onHead(bytes: Cursor): void {
    const head = this.#parse(bytes);
    if (head === undefined) return;
    if (head.status < 200) {
      this.#fail("malformed", faults.switched.reason);
      return;
    }
    const framed = responseFraming(head, this.#parts.start.method, head.status);
    if (framed.kind === "fault") {
      this.#fail("malformed", framed.fault.reason);
      return;
    }
    this.#started = true;
    this.#deadline.set(this.#parts.limits.idleTimeoutMs);
    this.#parts.handler.onHead(head);
  }

  onWhole(bytes: Cursor, body: Buffer): void {
    this.onHead(bytes);
    if (body.length > 0) this.onData(body);
    this.#end([]);
  }

  onData(chunk: Buffer): void {
    if (this.#over) return;
    this.#deadline.set(this.#parts.limits.idleTimeoutMs);
    this.#parts.handler.onData(chunk);
  }

  onEnd(trailers: Buffer): void {
    this.#end(trailers.length === 0 ? [] : trailersOf(trailers));
  }

  onWritable(): void {
    this.#parts.handler.onDrain();
  }

  onFailure(failure: StreamFailure): void {
    // What was refused has not been looked at.
    this.#fail(failure === "refused" ? "refused" : "reset", failure);
  }

  onDeadline(): void {
    this.#fail("response-timeout", "nothing in time");
  }

  #parse(bytes: Cursor): ResponseHead | undefined {
    if (this.#over) return undefined;
    const head = this.#parts.heads.read(bytes);
    if (head instanceof ResponseHead) return head;
    this.#fail("malformed", head.reason);
    return undefined;
  }

  #end(trailers: readonly string[]): void {
    if (this.#over) return;
    this.#finish();
    // The response came before the request was whole: the rest of it is not wanted.
    if (!this.#whole) this.#stream?.reset("cancelled");
    this.#parts.handler.onEnd(trailers);
  }

  #fail(kind: ExchangeFailure["kind"], reason: string): void {
    if (this.#over) return;
    this.#finish();
    this.#stream?.reset("cancelled");
    const failure = this.#started ? "truncated" : kind;
    this.#parts.handler.onFailure({ kind: failure, reason, sent: kind !== "refused", reused: false });
  }

  #finish(): void {
    this.#over = true;
    this.#deadline.remove();
  }
}

/** Flat; a line that is none is left out. */
function trailersOf(bytes: Buffer): string[] {
  const flat: string[] = [];
  for (const line of bytes.toString("latin1").split("\r\n")) {
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, Math.max(0, colon)), line.slice(colon + 1).trim()];
    if (isMadeOf(TOKEN, name) && isMadeOf(TEXT, value) && name !== "") flat.push(name, value);
  }
  return flat;
}

function isMadeOf(allowed: Uint8Array, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (allowed[text.charCodeAt(index)] !== 1) return false;
  return true;
}
