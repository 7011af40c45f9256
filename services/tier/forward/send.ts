// The seam between the retry loop and what carries an exchange to one member. A request and an upgrade are two ways to send; the
// loop over them is the same (retry.ts). Nothing here knows how bytes come and go.

import type { RequestHead } from "../../http/parsing/request-parser.ts";
import type { Member } from "../cluster/members.ts";
import type { Failure } from "../rules/failures.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import type { Destination } from "../rules/request-rules.ts";
import type { Answerer } from "../rules/tier-signals.ts";

/** Why the client's side ends an exchange before its time. */
export type GivenUp = "client-left" | "client-error" | "body-too-large";
/** Why an attempt is ended from outside. After "member-down" another attempt follows. */
export type Ended = GivenUp | "member-down";

/** A client's request with its answer, as the retry loop sees it. */
export interface Downstream {
  readonly request: RequestHead;
  readonly to: Destination;
  /** Has the client come over TLS, by what the member is told? */
  readonly secure: boolean;
  /** Can all of it be sent again, from the first byte? */
  readonly replayable: boolean;
  /** How much may be kept of its body until it is sent, in bytes; undefined: some of what has come is gone. */
  readonly keptBytes: number | undefined;
  /** Has the head of an answer gone to the client? */
  readonly answered: boolean;
  readonly givenUp: GivenUp | undefined;
  /** Has `leave` called when the client gives up, or may have, while it waits for a member; undefined: no longer. */
  whileWaiting(leave: (() => void) | undefined): void;
  /** @returns false: its body is longer. One without a length is cut off where it turns out to be. */
  limitBody(bytesMax: number): boolean;
  /** Ends the attempt under way with "member-down". */
  leaveMember(): void;
  /** No attempt follows. */
  over(outcome: AttemptOutcome): void;
}

/** One attempt at one member, as its sender sees it. */
export interface Attempt {
  readonly member: Member;
  /** Attempts so far for this exchange, this one included. */
  readonly number: number;
  /** A Set-Cookie that binds the client to the member; undefined: it needs none. */
  readonly cookie: string | undefined;
  /** Is there nobody else to ask? */
  readonly alone: boolean;
  /** Until the head of the response, in ms: what was left of the deadline over all attempts when this one began. */
  readonly responseTimeoutMs: number;
  /** Is it to have a connection of its own? */
  readonly fresh: boolean;
  /**
   * The head of a response has come: what its status says of the member does not wait for the end of a long body.
   * @param from whom it says something of
   */
  answering(status: number, from: Answerer): void;
  /**
   * Is the failure one to hide behind another attempt? Asked before anything of a response goes to the client.
   * @param behind what the tier behind us failed with
   */
  mayRetry(failure: Failure, behind?: string): boolean;
  /** Called once, when the attempt has ended. */
  over(outcome: AttemptOutcome): void;
}

/** Begins an attempt; never throws. */
export type Send<Exchange extends Downstream> = (exchange: Exchange, attempt: Attempt) => void;
