// Pure. What is counted of a pool at a tier, and of each of its members there: plain numbers, which a request changes in place and a
// scrape reads (../upstream-metrics.ts). A member's stay with its slot, so that no counter goes backwards with a heal, and go with it.

import { Histogram } from "../../runtime/histogram.ts";
import { type Failure, failures } from "../rules/failures.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";

export const SWITCHED = 101;
const CLASS_MAX = 5;

/** Requests by the class of their status, with the time they took. */
class RequestCounts {
  /** By class: [2] counts the 2xx. */
  readonly byClass = new Float64Array(CLASS_MAX + 1);
  readonly duration = new Histogram();
  readonly failures: Partial<Record<Failure, number>> = {};

  /** @param ms how long it took; an upgrade: until it was answered */
  answered(status: number, ms: number): void {
    // Whatever a member makes up counts as an error of its own.
    (this.byClass[Math.min(CLASS_MAX, Math.trunc(status / 100))] as number) += 1;
    this.duration.observe(ms / 1_000);
  }

  /** An attempt, or all of them, has ended. An upgrade was counted when it was answered. */
  over(outcome: AttemptOutcome, ms: number): void {
    if (outcome.kind === "failed") this.#failed(outcome.failure, ms);
    else if (outcome.status !== SWITCHED) this.answered(outcome.status, ms);
  }

  #failed(failure: Failure, ms: number): void {
    this.failures[failure] = (this.failures[failure] ?? 0) + 1;
    this.answered(failures[failure].status, ms);
  }
}

/** Of one member of one pool: attempts. */
export class MemberCounts extends RequestCounts {
  /** Until the head of the response. */
  readonly firstByte = new Histogram();
  ejections = 0;
  /** Of bodies. */
  requestBytes = 0;
  responseBytes = 0;
}

/** Of one pool: requests, whatever number of attempts each took. */
export class PoolCounts extends RequestCounts {
  retries = 0;
  /** Of those that waited. */
  readonly queueWait = new Histogram();
}
