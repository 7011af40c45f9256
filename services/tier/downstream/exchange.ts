// One client's request and its answer at one tier, from the first byte to the last: what every attempt for it shares.

import { type Fault, faults } from "../../http/message/faults.ts";
import type { Fields } from "../../http/message/fields.ts";
import type { RequestHead } from "../../http/parsing/request-parser.ts";
import { hasBody } from "../../http/server/request-reader.ts";
import type { RequestHandler } from "../../http/server/server-exchange.ts";
import { Deadline, type Expirable } from "../../net/timers.ts";
import { monotonicMs } from "../../runtime/clock.ts";
import type { Downstream, Ended, GivenUp } from "../forward/send.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import type { Destination } from "../rules/request-rules.ts";
import type { ClientSide } from "./client-side.ts";
import type { EarlyStarts } from "./early-starts.ts";
import { failureReply, type LocalReply } from "./local-replies.ts";
import { type BodySink, RequestBody } from "./request-body.ts";

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
  readonly earlyStarts: EarlyStarts;
}

/** So much of a body is waited for: what one read brings, in most cases, so that it is on its way at once. */
const GATHERED_BYTES_MAX = 48 * 1024;
/** After this a request may go to a member before its body is there: a body in a few segments has come by then. */
const BODY_AWAITED_MS = 200;

/** In the lines for the member; of several values the first is the client's. */
const SAYS_HTTPS = /^x-forwarded-proto:[ \t]*https[ \t]*(?:,|\r?$)/im;

export class Exchange implements Downstream, RequestHandler, Expirable {
  readonly client: ClientSide;
  readonly to: Destination;
  readonly fields: Fields;
  /** Absent when the request has none. */
  readonly body: RequestBody | undefined;
  /** When its head came, by monotonicMs(). */
  readonly begunMs = monotonicMs();
  readonly #owner: ExchangeOwner;
  readonly #earlyStarts: EarlyStarts;
  /** How much of the body is waited for before an attempt, in bytes; 0: nothing. */
  readonly #gathered: number;
  #bodyDeadline: Deadline | undefined;
  #ready = false;
  #startedEarly = false;
  #awaitsContinue: boolean;
  #givenUp: GivenUp | undefined;
  #bodyBytesMax = Number.POSITIVE_INFINITY;
  #faultStatus: number | undefined;
  #attempt: ClientListener | undefined;
  #leave: (() => void) | undefined;

  constructor({ client, to, fields, owner, earlyStarts }: ExchangeParts) {
    const { framing } = client.request;
    this.client = client;
    this.to = to;
    this.fields = fields;
    this.#owner = owner;
    this.#earlyStarts = earlyStarts;
    this.#awaitsContinue = client.request.expectsContinue;
    this.body = hasBody(client.request) ? new RequestBody(client) : undefined;
    const waits = framing.kind === "length" && !this.#awaitsContinue;
    this.#gathered = waits ? Math.min(framing.length, GATHERED_BYTES_MAX) : 0;
    client.handler = this;
  }

  /**
   * Waits a moment for a body whose length is known, or the first of it, and longer while too many others have not waited
   * (early-starts.ts). One without a length may be a conversation, and goes on as it comes.
   */
  begin(): void {
    if (this.#gathered === 0) {
      this.#start();
      return;
    }
    this.#bodyDeadline = new Deadline(this);
    this.#bodyDeadline.set(BODY_AWAITED_MS);
  }

  onDeadline(): void {
    this.#startedEarly = this.#earlyStarts.take();
    if (this.#startedEarly) this.#start();
    else this.#bodyDeadline?.set(BODY_AWAITED_MS);
  }

  get request(): RequestHead {
    return this.client.request;
  }

  get secure(): boolean {
    return SAYS_HTTPS.test(this.fields.text);
  }

  get replayable(): boolean {
    return this.body?.replayable ?? true;
  }

  get keptBytes(): number | undefined {
    if (this.body === undefined) return 0;
    const { framing } = this.request;
    return this.body.isKept ? this.body.keptBytesOf(framing.kind === "length" ? framing.length : undefined) : undefined;
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

  whileWaiting(leave: (() => void) | undefined): void {
    this.#leave = leave;
  }

  limitBody(bytesMax: number): boolean {
    this.#bodyBytesMax = bytesMax;
    const { framing } = this.request;
    const fits = Math.max(framing.kind === "length" ? framing.length : 0, this.body?.bytes ?? 0) <= bytesMax;
    if (!fits) this.client.keepAlive = false;
    return fits;
  }

  leaveMember(): void {
    this.#attempt?.end("member-down");
  }

  over(outcome: AttemptOutcome): void {
    const status = outcome.kind === "answered" ? outcome.status : this.#reply(failureReply(outcome));
    // What the client still sends is read and dropped.
    this.client.resume();
    this.#bodyHasCome();
    this.body?.letGo();
    this.#owner.onOver(this, this.#faultStatus ?? status);
  }

  onData(chunk: Buffer): void {
    const { body } = this;
    body?.take(chunk);
    if ((body?.bytes ?? 0) > this.#bodyBytesMax) {
      this.client.keepAlive = false;
      this.onAbort(faults.bodyTooLarge);
      return;
    }
    if ((body?.bytes ?? 0) < this.#gathered) return;
    this.#bodyHasCome();
    if (!this.#ready) this.#start();
  }

  onEnd(): void {
    this.body?.end();
    this.#bodyHasCome();
    if (!this.#ready) this.#start();
  }

  onDrain(): void {
    this.#attempt?.clientDrained();
  }

  /** A place in the queue is for those that are surely there; an attempt under way goes on. */
  onClientEnded(): void {
    this.#leave?.();
  }

  onAbort(why: "client-left" | Fault): void {
    if (why !== "client-left") this.#faultStatus = why.status;
    this.#givenUp ??= why === "client-left" ? why : why.rule === "body-too-large" ? why.rule : "client-error";
    if (!this.#ready) this.#start();
    else if (this.#attempt !== undefined) this.#attempt.end(this.#givenUp);
    else this.#leave?.();
  }

  #start(): void {
    this.#ready = true;
    this.#bodyDeadline?.remove();
    this.#owner.onReady(this);
  }

  #bodyHasCome(): void {
    if (this.#startedEarly) this.#earlyStarts.giveBack();
    this.#startedEarly = false;
  }

  #reply(reply: LocalReply): number {
    if (!this.client.started) reply.write(this.client);
    return reply.status;
  }
}
