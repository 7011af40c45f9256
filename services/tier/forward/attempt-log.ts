// One log line for a request that was not answered at its first attempt, with every attempt that failed. When everything fails every
// request would have one: the first few of a second tell as much.

import { headerId } from "../../http/message/known-headers.ts";
import { nowMs } from "../../runtime/clock.ts";
import type { Log } from "../../runtime/log.ts";
import type { Member } from "../cluster/members.ts";
import { type Failure, failures } from "../rules/failures.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import type { Downstream } from "./send.ts";

const LINES_PER_SECOND_MAX = 20;

export interface FailedAttempt {
  readonly member: string;
  readonly failure: Failure;
  readonly reason: string;
}

/** An exchange with what was tried for it. */
export interface Attempted {
  readonly exchange: Downstream;
  readonly failed: readonly FailedAttempt[];
  /** Asked last; undefined: nobody was. */
  readonly member: Member | undefined;
}

/** Keeps what was tried until the request is over. */
interface AttemptKeeper {
  answering(attempted: Attempted, last: AttemptOutcome): void;
}

export class AttemptLog {
  readonly #log: Log;
  readonly #access: AttemptKeeper | undefined;
  #logged = { second: 0, lines: 0 };

  constructor(log: Log, access?: AttemptKeeper) {
    this.#log = log;
    this.#access = access;
  }

  /** @param last how the exchange ended; a client that left is no news */
  report(attempted: Attempted, last: AttemptOutcome): void {
    this.#access?.answering(attempted, last);
    const { failed } = attempted;
    if (failed.length === 0 || !this.#mayLog()) return;
    const { request } = attempted.exchange;
    const facts = { method: request.method, requestId: request.value(headerId["x-request-id"]), failed };
    if (last.kind === "answered") this.#log("request-retried", { ...facts, status: last.status });
    else if (failures[last.failure].blame !== "client")
      this.#log("request-failed", { ...facts, failure: last.failure });
  }

  #mayLog(): boolean {
    const second = Math.floor(nowMs() / 1000);
    this.#logged = second === this.#logged.second ? { second, lines: this.#logged.lines + 1 } : { second, lines: 1 };
    return this.#logged.lines <= LINES_PER_SECOND_MAX;
  }
}
