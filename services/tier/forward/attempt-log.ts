// One log line for a request that was not answered at its first attempt, with every attempt that failed. When everything
// fails every request would have one: the first few of a second tell as much.

import type { IncomingMessage } from "node:http";
import type { Log } from "../../runtime/log.ts";
import { type Failure, failures } from "../rules/failures.ts";
import type { Attempt } from "./attempt.ts";

const LINES_PER_SECOND_MAX = 20;

export interface FailedAttempt {
  readonly member: string;
  readonly failure: Failure;
  readonly reason: string;
}

export class AttemptLog {
  readonly #log: Log;
  #logged = { second: 0, lines: 0 };

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param last how the request ended; a client that left is no news */
  report({ method, headers }: IncomingMessage, last: Attempt, failed: readonly FailedAttempt[]): void {
    if (failed.length === 0 || !this.#mayLog(Date.now())) return;
    const facts = { method, requestId: headers["x-request-id"], failed };
    if (last.kind === "answered") this.#log("request-retried", { ...facts, status: last.status });
    else if (failures[last.failure].blame !== "client")
      this.#log("request-failed", { ...facts, failure: last.failure });
  }

  #mayLog(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    this.#logged = second === this.#logged.second ? { second, lines: this.#logged.lines + 1 } : { second, lines: 1 };
    return this.#logged.lines <= LINES_PER_SECOND_MAX;
  }
}
