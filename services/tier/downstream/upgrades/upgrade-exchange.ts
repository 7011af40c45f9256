// One client's upgrade and its answer at one tier: what every attempt for it shares. Its connection is node:http's by now, which
// http-proxy asks for.

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { RequestHead } from "../../../http/parsing/request-parser.ts";
import type { Downstream, Ended, GivenUp } from "../../forward/send.ts";
import type { AttemptOutcome } from "../../rules/outcome.ts";
import type { Destination } from "../../rules/request-rules.ts";
import { upgradeFailure } from "../local-replies.ts";
import { endWith } from "./open-upgrades.ts";

export interface UpgradeExchangeParts {
  /** As our own parser read it. */
  readonly request: RequestHead;
  /** As node:http read it. */
  readonly message: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request: the first bytes of the new protocol. */
  readonly early: Buffer;
  readonly to: Destination;
  /** As the member gets them, besides Connection and Upgrade; flat: name, value, name, value. */
  readonly headers: readonly string[];
  /** Called once: at the head of the member's answer, or with the status of our own. */
  readonly onAnswer: (status: number) => void;
}

export class UpgradeExchange implements Downstream {
  readonly parts: UpgradeExchangeParts;
  readonly request: RequestHead;
  /** The answers before this one went out on the same connection. */
  readonly #sentBefore: number;
  #replayable = true;
  #givenUp: GivenUp | undefined;
  #endAttempt: ((why: Ended) => void) | undefined;
  #leave: (() => void) | undefined;
  #reported = false;
  readonly #giveUp = () => this.giveUp();

  constructor(parts: UpgradeExchangeParts) {
    this.parts = parts;
    this.request = parts.request;
    this.#sentBefore = parts.socket.bytesWritten;
    if (parts.socket.destroyed) this.giveUp();
    else parts.socket.once("close", this.#giveUp);
  }

  /** No cookie goes with a 101. */
  get secure(): boolean {
    return false;
  }

  get replayable(): boolean {
    return this.#replayable;
  }

  get keptBytes(): number | undefined {
    return this.#replayable ? 0 : undefined;
  }

  get answered(): boolean {
    return this.parts.socket.bytesWritten !== this.#sentBefore;
  }

  get givenUp(): GivenUp | undefined {
    return this.#givenUp;
  }

  get to(): Destination {
    return this.parts.to;
  }

  /** What follows is no body. */
  limitBody(): boolean {
    return true;
  }

  giveUp(): void {
    this.#givenUp ??= "client-left";
    this.#endAttempt?.("client-left");
    this.#leave?.();
  }

  /** Nobody else reads from the socket meanwhile, and without that its end would not be seen. */
  whileWaiting(leave: (() => void) | undefined): void {
    const { socket } = this.parts;
    if (leave === undefined) socket.off("readable", readEnd).off("end", this.#giveUp);
    else socket.on("readable", readEnd).on("end", this.#giveUp);
    this.#leave = leave;
  }

  whenEnded(end: ((why: Ended) => void) | undefined): void {
    this.#endAttempt = end;
  }

  /** What is sent to a member is sent once: http-proxy ends the client's socket with any failure of it. */
  commit(): void {
    this.#replayable = false;
    this.#endAttempt = undefined;
  }

  leaveMember(): void {
    this.#endAttempt?.("member-down");
  }

  report(status: number): void {
    if (this.#reported) return;
    this.#reported = true;
    this.parts.onAnswer(status);
  }

  over(outcome: AttemptOutcome): void {
    const { socket } = this.parts;
    if (outcome.kind === "answered") {
      this.report(outcome.status);
      return;
    }
    const reply = upgradeFailure(outcome);
    this.report(reply.status);
    if (this.answered) socket.destroy();
    else if (!socket.destroyed) endWith(socket, reply.closingBytes);
  }
}

/** Finds out whether the other side has ended; what it has sent stays where it is. */
function readEnd(this: Socket): void {
  if (this.readableLength === 0) this.read(0);
}
