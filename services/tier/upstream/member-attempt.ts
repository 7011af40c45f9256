// One attempt at one member, over a link or over HTTP/1.1: the request to the member, the response to the client, each at the other's
// pace. What may be repeated is not for it to say.

import type { ExchangeFailure, RequestStart, ResponseHandler } from "../../http/client/client-exchange.ts";
import type { ResponseHead } from "../../http/parsing/response-parser.ts";
import { Deadline, type Expirable } from "../../net/timers.ts";
import { authorityOf } from "../../runtime/address.ts";
import { monotonicMs } from "../../runtime/clock.ts";
import { httpDate } from "../../runtime/http-date.ts";
import type { ClientListener, Exchange } from "../downstream/exchange.ts";
import type { Attempt, Ended } from "../forward/send.ts";
import { type Failure, isOurOwn, isRepeatable, mayHaveBeenIdle } from "../rules/failures.ts";
import { type ResponseHop, responseFields, trailersFor } from "../rules/headers.ts";
import { withoutPrefix } from "../rules/routes.ts";
import { answererOf, type BehindReply, nobodyBehind } from "../rules/tier-signals.ts";

/** A member that knows nothing of Expect says neither yes nor no: after this the client is told to go on (RFC 9110 section 10.1.1). */
const CONTINUE_WITHIN_MS = 1_000;

/** A request that is on its way to a member, and the response to it. */
export interface SentRequest {
  /** @returns false when the member is slower: then onDrain() is called */
  data(chunk: Buffer): boolean;
  end(): void;
  /** Holds the response back. */
  pause(): void;
  resume(): void;
  abort(): void;
}

/** How requests get to a member. */
export interface Way {
  request(start: RequestStart, handler: ResponseHandler): SentRequest;
  /** On a connection that has carried nothing yet. */
  requestAnew(start: RequestStart, handler: ResponseHandler): SentRequest;
}

export interface MemberAttemptParts {
  readonly exchange: Exchange;
  readonly attempt: Attempt;
  readonly way: Way;
  /** This tier's name in Via. */
  readonly pseudonym: string;
}

export class MemberAttempt implements ResponseHandler, ClientListener, Expirable {
  readonly #exchange: Exchange;
  readonly #attempt: Attempt;
  readonly #way: Way;
  readonly #pseudonym: string;
  #request: SentRequest | undefined;
  #status = 0;
  #over = false;
  /** Set while the member has yet to say whether it wants the body. */
  #continueBy: Deadline | undefined;
  readonly #begunMs = monotonicMs();
  #anew = false;

  constructor({ exchange, attempt, way, pseudonym }: MemberAttemptParts) {
    this.#exchange = exchange;
    this.#attempt = attempt;
    this.#way = way;
    this.#pseudonym = pseudonym;
  }

  begin(): void {
    const { body, awaitsContinue } = this.#exchange;
    this.#exchange.listen(this);
    const isNew = this.#anew || this.#attempt.fresh;
    this.#request = isNew ? this.#way.requestAnew(this.#start, this) : this.#way.request(this.#start, this);
    if (!awaitsContinue) body?.attach(this);
    else {
      this.#continueBy = new Deadline(this);
      this.#continueBy.set(CONTINUE_WITHIN_MS);
    }
  }

  get #start(): RequestStart {
    const { request, to, body, awaitsContinue, fields } = this.#exchange;
    const { member, responseTimeoutMs } = this.#attempt;
    // An HTTP/1.0 client need not say which host it means; to a member we speak HTTP/1.1.
    const host = to.host === undefined ? `Host: ${authorityOf(member.host, member.port)}\r\n` : "";
    const expect = awaitsContinue ? "Expect: 100-continue\r\n" : "";
    const prefix = member.strip === undefined ? "" : `X-Forwarded-Prefix: ${member.strip}\r\n`;
    const text = host + fields.text + prefix + expect;
    return {
      method: request.method,
      target: member.strip === undefined ? to.path : withoutPrefix(to.path, member.strip),
      fields: { text, length: fields.length },
      hasBody: body !== undefined,
      responseTimeoutMs,
    };
  }

  takeBody(chunk: Buffer): boolean {
    this.#attempt.member.counts.requestBytes += chunk.length;
    return this.#request?.data(chunk) ?? true;
  }

  endBody(): void {
    this.#request?.end();
  }

  clientDrained(): void {
    this.#request?.resume();
  }

  end(why: Ended): void {
    this.#fail(why, why);
  }

  onDeadline(): void {
    this.#sendBody();
  }

  /** A 100 that nobody waits for goes no further. */
  onInformational(head: ResponseHead): void {
    if (this.#over) return;
    if (head.status === 100) this.#sendBody();
    else if (!this.#exchange.client.informational(head.status, head.reason, responseFields(head, this.#hop()))) {
      this.#request?.pause();
    }
  }

  onHead(head: ResponseHead): void {
    if (this.#over) return;
    const behind = this.#attempt.member.role === "proxy" ? nobodyBehind(head) : undefined;
    if (behind !== undefined && this.#attempt.mayRetry("no-member-behind", behind.error)) {
      this.#fail("no-member-behind", behind.error, behind);
      return;
    }
    this.#continueBy?.remove();
    this.#status = head.status;
    this.#attempt.answering(head.status, answererOf(this.#attempt.member, head));
    this.#exchange.client.head(head.status, head.reason, responseFields(head, this.#hop()));
  }

  onData(chunk: Buffer): void {
    if (this.#over) return;
    this.#attempt.member.counts.responseBytes += chunk.length;
    if (!this.#exchange.client.data(chunk)) this.#request?.pause();
  }

  onEnd(trailers: readonly string[]): void {
    if (this.#over) return;
    this.#exchange.client.end(trailersFor(this.#exchange.request, trailers));
    this.#finish();
    this.#attempt.over({ kind: "answered", status: this.#status });
  }

  onDrain(): void {
    this.#exchange.body?.drained();
  }

  onFailure({ kind, reason, reused }: ExchangeFailure): void {
    if (reused && kind === "reset" && this.#mayBeginAnew()) this.#beginAnew();
    else this.#fail(kind === "refused" && isOurOwn(reason) ? "no-socket" : kind, reason);
  }

  /**
   * A server that closes an idle connection just as it is used again has seen nothing of the request (RFC 9112 section 9.5). Where others can
   * be asked they are; the only member there is gets it once more.
   */
  #mayBeginAnew(): boolean {
    const { request, replayable, keptBytes } = this.#exchange;
    if (this.#over || this.#anew || !this.#attempt.alone || !mayHaveBeenIdle(monotonicMs() - this.#begunMs))
      return false;
    return isRepeatable(request.method) && replayable && keptBytes !== undefined;
  }

  #beginAnew(): void {
    this.#anew = true;
    this.#continueBy?.remove();
    this.#exchange.body?.detach();
    this.begin();
  }

  /** From here on the client sends; another attempt has nothing to wait for. */
  #sendBody(): void {
    if (this.#continueBy === undefined) return;
    this.#continueBy.remove();
    this.#continueBy = undefined;
    this.#exchange.continue();
    this.#exchange.body?.attach(this);
  }

  #hop(): ResponseHop {
    const { member, number, cookie } = this.#attempt;
    const servedBy = member.role === "server" ? member.id : undefined;
    return { pseudonym: this.#pseudonym, servedBy, attempts: number, cookie, date: httpDate };
  }

  #fail(failure: Failure, reason: string, behind?: BehindReply): void {
    if (this.#over) return;
    // A clean end would tell the client that it has everything (RFC 9112 section 8).
    if (this.#exchange.answered) this.#exchange.client.breakOff();
    this.#request?.abort();
    this.#finish();
    this.#attempt.over({ kind: "failed", failure, reason, ...(behind && { behind }) });
  }

  #finish(): void {
    this.#over = true;
    this.#continueBy?.remove();
    this.#exchange.listen(undefined);
    this.#exchange.body?.detach();
  }
}
