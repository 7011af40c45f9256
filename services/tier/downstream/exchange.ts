// One client's request and its answer at one tier, from the first byte to the last: what every attempt for it shares.

import type { Fault } from "../../http/message/faults.ts";
import type { Fields } from "../../http/message/fields.ts";
import type { RequestHead } from "../../http/parsing/request-parser.ts";
import { hasBody } from "../../http/server/request-reader.ts";
import type { RequestHandler } from "../../http/server/server-exchange.ts";
import type { Downstream, Ended, GivenUp } from "../forward/send.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import type { Destination } from "../rules/request-rules.ts";
import type { ClientSide } from "./client-side.ts";
import { failureReply, type LocalReply } from "./local-replies.ts";
import { type BodySink, REPLAY_BYTES_MAX, RequestBody } from "./request-body.ts";

/** The attempt under way, as the exchange tells it of the client. */
export interface ClientListener extends BodySink {
  /** The client has caught up. */
  clientDrained(): void;
  /** The attempt is to end. */
  end(why: Ended): void;
}

export interface ExchangeOwner {
  /** The request may be carried out. */
  onReady(exchange: Exchange): void;
  /** @param status what the client got, or would have */
  onOver(exchange: Exchange, status: number): void;
}

export interface ExchangeParts {
  readonly client: ClientSide;
  readonly to: Destination;
  /** As the member gets them. */
  readonly fields: Fields;
  readonly owner: ExchangeOwner;
}

export class Exchange implements Downstream, RequestHandler {
  readonly client: ClientSide;
  readonly to: Destination;
  readonly fields: Fields;
  /** Absent when the request has none. */
  readonly body: RequestBody | undefined;
  /** When its head came, by performance.now(). */
  readonly begunMs = performance.now();
  readonly #owner: ExchangeOwner;
  /** How much of the body is waited for before an attempt, in bytes; 0: nothing. */
  readonly #gathered: number;
  #ready = false;
  #awaitsContinue: boolean;
  #givenUp: GivenUp | undefined;
  #faultStatus: number | undefined;
  #attempt: ClientListener | undefined;

  constructor({ client, to, fields, owner }: ExchangeParts) {
    const { framing } = client.request;
    this.client = client;
    this.to = to;
    this.fields = fields;
    this.#owner = owner;
    this.#awaitsContinue = client.request.expectsContinue;
    this.body = hasBody(client.request) ? new RequestBody(client) : undefined;
    const waits = framing.kind === "length" && !this.#awaitsContinue;
    this.#gathered = waits ? Math.min(framing.length, REPLAY_BYTES_MAX) : 0;
    client.handler = this;
  }

  /**
   * Waits for a body whose length is known, or as much of it as is kept: a client that sends a few bytes a second must not take a
   * member's capacity meanwhile (R-U-Dead-Yet). One without a length may be a conversation, and goes on as it comes.
   */
  begin(): void {
    if (this.#gathered === 0) this.#start();
  }

  get request(): RequestHead {
    return this.client.request;
  }

  get replayable(): boolean {
    return this.body?.replayable ?? true;
  }

  get answered(): boolean {
    return this.client.started;
  }

  get givenUp(): GivenUp | undefined {
    return this.#givenUp;
  }

  /** Does the client wait for a 100 (Continue) before it sends its body? */
  get awaitsContinue(): boolean {
    return this.#awaitsContinue;
  }

  /** Tells the client to send its body, once. */
  continue(): void {
    if (!this.#awaitsContinue) return;
    this.#awaitsContinue = false;
    this.client.continue();
  }

  /** From now on this attempt hears of the client; the one before it no longer does. */
  listen(attempt: ClientListener | undefined): void {
    this.#attempt = attempt;
  }

  leaveMember(): void {
    this.#attempt?.end("member-down");
  }

  over(outcome: AttemptOutcome): void {
    const status = outcome.kind === "answered" ? outcome.status : this.#reply(failureReply(outcome));
    // What the client still sends is read and dropped.
    this.client.resume();
    this.#owner.onOver(this, this.#faultStatus ?? status);
  }

  onData(chunk: Buffer): void {
    const { body } = this;
    body?.take(chunk);
    if (!this.#ready && (body?.bytes ?? 0) >= this.#gathered) this.#start();
  }

  onEnd(): void {
    this.body?.end();
    if (!this.#ready) this.#start();
  }

  onDrain(): void {
    this.#attempt?.clientDrained();
  }

  onAbort(why: "client-left" | Fault): void {
    if (why !== "client-left") this.#faultStatus = why.status;
    this.#givenUp ??= why === "client-left" ? why : why.rule === "body-too-large" ? why.rule : "client-error";
    if (this.#ready) this.#attempt?.end(this.#givenUp);
    else this.#start();
  }

  #start(): void {
    this.#ready = true;
    this.#owner.onReady(this);
  }

  #reply(reply: LocalReply): number {
    if (!this.client.started) reply.write(this.client);
    return reply.status;
  }
}
