// One client's request and its answer at one tier, over node:http, from the first byte to the last: what every attempt for it shares.

import type { IncomingMessage, ServerResponse } from "node:http";
import { requestFraming } from "../../http/framing.ts";
import { failureReply } from "../downstream/local-replies.ts";
import type { Downstream, Ended, GivenUp } from "../forward/send.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import type { Destination } from "../rules/request-rules.ts";
import { discardRest } from "./discard.ts";
import { RequestBody } from "./request-body.ts";
import { write } from "./responses.ts";

export interface RequestExchangeParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly to: Destination;
  readonly headers: readonly string[];
  /** Does the client wait for a 100 (Continue) before it sends its body? */
  readonly awaitsContinue: boolean;
  /** 0: any size. */
  readonly bodyBytesMax: number;
  /** @param status what the client got, or would have */
  readonly onOver: (status: number) => void;
}

export class RequestExchange implements Downstream {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly to: Destination;
  /** The request's headers as a member gets them. */
  readonly headers: readonly string[];
  /** Absent when the request has none. */
  readonly body: RequestBody | undefined;
  readonly #onOver: (status: number) => void;
  /** In bytes, where the request says so. */
  readonly #length: number;
  #awaitsContinue: boolean;
  #givenUp: GivenUp | undefined;
  #endAttempt: ((why: Ended) => void) | undefined;

  constructor({ request, response, to, headers, awaitsContinue, bodyBytesMax, onOver }: RequestExchangeParts) {
    this.request = request;
    this.response = response;
    this.to = to;
    this.#awaitsContinue = awaitsContinue;
    this.headers = headers;
    this.#onOver = onOver;
    const framing = requestFraming(request.rawHeaders);
    const limit = { bytesMax: bodyBytesMax, onTooLarge: () => this.#giveUp("body-too-large") };
    this.#length = framing.kind === "length" ? framing.bytes : 0;
    this.body = framing.kind === "none" ? undefined : new RequestBody(request, limit);
  }

  get method(): string {
    return this.request.method as string;
  }

  get clientHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  get replayable(): boolean {
    return this.body?.replayable ?? true;
  }

  get answered(): boolean {
    return this.response.headersSent;
  }

  /** Begins to watch for a client that leaves before it has its answer. */
  watch(): void {
    this.response.once("close", () => {
      if (!this.response.writableFinished) this.#giveUp("client-left");
    });
  }

  /** Does the client wait for a 100 (Continue) before it sends its body? */
  get awaitsContinue(): boolean {
    return this.#awaitsContinue;
  }

  /** Tells the client to send its body, once. */
  continue(): void {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    this.response.writeContinue();
  }

  /** Waits for a body whose length is known; one without may be a conversation, and goes on as it comes. */
  async gather(): Promise<void> {
    if (this.#length > 0 && !this.#awaitsContinue) await this.body?.gather(this.#length);
  }

  get givenUp(): GivenUp | undefined {
    return this.#givenUp;
  }

  /** The attempt under way is ended so; the one before it no longer is. */
  whenEnded(end: (why: Ended) => void): void {
    this.#endAttempt = end;
  }

  leaveMember(): void {
    this.#endAttempt?.("member-down");
  }

  over(outcome: AttemptOutcome): void {
    const status = outcome.kind === "answered" ? outcome.status : this.#admitFailure(failureReply(outcome));
    this.#discardRest();
    this.#onOver(status);
  }

  /** An answer that has begun can only be broken off, as the attempt has done. @returns the status that the client gets */
  #admitFailure(reply: ReturnType<typeof failureReply>): number {
    if (!this.response.headersSent && !this.response.destroyed) write(this.response, reply);
    return reply.status;
  }

  /**
   * The answer is out and the client still sends: what comes is read and dropped, so that the answer is not lost to a reset
   * (RFC 9112 section 9.6); a client that does not end in time is cut off.
   */
  #discardRest(): void {
    const { request } = this;
    discardRest(request, () => {
      if (!request.complete) request.destroy();
    });
  }

  #giveUp(why: GivenUp): void {
    this.#givenUp ??= why;
    this.#endAttempt?.(why);
  }
}
