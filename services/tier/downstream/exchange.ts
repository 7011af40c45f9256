// One client's request and its answer at one tier, from the first byte to the last: what every attempt for it shares.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Destination } from "../rules/request-rules.ts";
import { RequestBody } from "./request-body.ts";

/** How long a client may go on sending a body that nobody reads any more. */
const DISCARD_MS_MAX = 5_000;
/** After so long a silence it is taken to have noticed. */
const DISCARD_SILENCE_MS = 500;

export interface ExchangeParts {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly to: Destination;
  readonly headers: readonly string[];
  /** Does the client wait for a 100 (Continue) before it sends its body? */
  readonly awaitsContinue: boolean;
  /** 0: any size. */
  readonly bodyBytesMax: number;
}

/** Why a client's side ends a request before its time. */
export type GivenUp = "client-left" | "body-too-large";
/** Why an attempt is ended from outside; the last of these leaves the request to another attempt. */
export type Ended = GivenUp | "member-down";

export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly to: Destination;
  /** The request's headers as a member gets them. */
  readonly headers: readonly string[];
  /** Absent when the request has none. */
  readonly body: RequestBody | undefined;
  #awaitsContinue: boolean;
  #givenUp: GivenUp | undefined;
  #endAttempt: ((why: Ended) => void) | undefined;

  constructor({ request, response, to, headers, awaitsContinue, bodyBytesMax }: ExchangeParts) {
    this.request = request;
    this.response = response;
    this.to = to;
    this.#awaitsContinue = awaitsContinue;
    this.headers = headers;
    const limit = { bytesMax: bodyBytesMax, onTooLarge: () => this.#giveUp("body-too-large") };
    this.body = hasBody(request) ? new RequestBody(request, limit) : undefined;
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
    const length = Number(this.request.headers["content-length"] ?? 0);
    if (length > 0 && !this.#awaitsContinue) await this.body?.gather(length);
  }

  get givenUp(): GivenUp | undefined {
    return this.#givenUp;
  }

  /** The attempt under way is ended so; the one before it no longer is. */
  whenEnded(end: (why: Ended) => void): void {
    this.#endAttempt = end;
  }

  /** Ends the attempt under way, and nothing but that. */
  leaveMember(): void {
    this.#endAttempt?.("member-down");
  }

  /**
   * The answer is out and the client still sends: what comes is read and dropped, so that the answer is not lost to a reset
   * (RFC 9112 section 9.6); a client that does not end in time is cut off.
   */
  discardRest(): void {
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

/** Reads what a client still sends and drops it; calls when it has ended, or is silent, or has had its time. */
export function discardRest(request: IncomingMessage, done: () => void): void {
  if (request.complete || request.destroyed) {
    done();
    return;
  }
  const limits = [setTimeout(finish, DISCARD_MS_MAX), setTimeout(finish, DISCARD_SILENCE_MS)] as const;
  function finish(): void {
    for (const limit of limits) clearTimeout(limit);
    request.off("data", onData).off("close", finish).off("end", finish);
    done();
  }
  function onData(): void {
    limits[1].refresh();
  }
  request.on("data", onData).once("close", finish).once("end", finish).resume();
}

/** A request has a body exactly when it says so (RFC 9112 section 6.3). */
function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
