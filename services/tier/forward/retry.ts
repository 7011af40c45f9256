// One exchange over one cluster: attempt after attempt, each at another member, until one answers or none may follow. What may be
// repeated is a rule of failures.ts, how often one of retry-budget.ts; the one deadline over all attempts is kept here.

import { nowMs } from "../../runtime/clock.ts";
import type { Cluster, Turn } from "../cluster/cluster.ts";
import type { Waiter } from "../cluster/concurrency.ts";
import type { Member } from "../cluster/members.ts";
import type { TierMetrics } from "../metrics.ts";
import { type Failure, mayRetry } from "../rules/failures.ts";
import type { AttemptOutcome, FailedOutcome } from "../rules/outcome.ts";
import type { AttemptLog, FailedAttempt } from "./attempt-log.ts";
import type { Evacuation, Evacuee } from "./evacuation.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Attempt, Downstream, Send } from "./send.ts";

/** What all exchanges of a cluster share. */
export interface RetryContext {
  readonly cluster: Cluster;
  readonly budget: RetryBudget;
  readonly evacuation: Evacuation;
  readonly log: AttemptLog;
  readonly metrics: TierMetrics;
  /** From the first attempt to the head of the response, over all attempts. */
  readonly deadlineMs: number;
}

const NOBODY_SERVES: FailedOutcome = { kind: "failed", failure: "no-member", reason: "nobody serves" };
const OVERLOADED: FailedOutcome = { kind: "failed", failure: "overloaded", reason: "overloaded" };

export class Retry<Exchange extends Downstream> implements Attempt, Waiter, Evacuee {
  earlier: Evacuee | undefined;
  later: Evacuee | undefined;
  listed = false;
  readonly #exchange: Exchange;
  readonly #send: Send<Exchange>;
  readonly #context: RetryContext;
  readonly #turn: Turn;
  readonly #untilMs: number;
  /** Ids of the members that have been asked. */
  readonly #tried: string[] = [];
  readonly #failed: FailedAttempt[] = [];
  #number = 0;
  #member: Member | undefined;
  #responseTimeoutMs = 0;
  /** Has the head of the current attempt's response come? */
  #answering = false;

  constructor(exchange: Exchange, send: Send<Exchange>, context: RetryContext) {
    this.#exchange = exchange;
    this.#send = send;
    this.#context = context;
    this.#turn = context.cluster.nextTurn(exchange.request);
    this.#untilMs = nowMs() + context.deadlineMs;
  }

  start(): void {
    this.#context.budget.earn();
    this.proceed();
  }

  /** There may be a member with capacity now. */
  proceed(): void {
    const { cluster } = this.#context;
    const { givenUp } = this.#exchange;
    const member = givenUp === undefined ? cluster.choose(this.#turn, this.#tried) : undefined;
    if (givenUp !== undefined) this.#end({ kind: "failed", failure: givenUp, reason: givenUp });
    else if (member !== undefined) this.#attempt(member);
    else if (!cluster.hasOther(this.#tried)) this.#end(NOBODY_SERVES);
    else if (!cluster.wait(this)) this.#end(OVERLOADED);
  }

  giveUp(): void {
    this.#end(OVERLOADED);
  }

  get member(): Member {
    return this.#member as Member;
  }

  get number(): number {
    return this.#number;
  }

  get cookie(): string | undefined {
    return this.#context.cluster.binding(this.#turn, this.member);
  }

  get responseTimeoutMs(): number {
    return this.#responseTimeoutMs;
  }

  answering(status: number): void {
    this.#answering = true;
    // A long body, or an upgraded connection, may end hours later.
    this.#context.log.report(this.#exchange, { kind: "answered", status }, this.#failed);
    this.#context.evacuation.leave(this);
    this.#context.cluster.answering(this.member, status);
  }

  mayRetry(failure: Failure): boolean {
    const { request, replayable, answered } = this.#exchange;
    if (answered || nowMs() >= this.#untilMs || !this.#context.budget.affords(failure)) return false;
    return mayRetry(failure, { method: request.method, replayable, attempts: this.#number });
  }

  over(outcome: AttemptOutcome): void {
    const { cluster, evacuation, budget } = this.#context;
    evacuation.leave(this);
    cluster.release(this.member, outcome, this.#answering);
    if (outcome.kind === "failed") this.#note(outcome.failure, outcome.reason);
    if (outcome.kind === "answered" || !this.#mayFollow(outcome.failure)) {
      this.#end(outcome);
      return;
    }
    budget.spend(outcome.failure);
    this.proceed();
  }

  /** The member is gone: asks another one at once, where that is allowed and there is one; else it may answer yet. */
  evacuate(): void {
    if (this.#context.cluster.hasOther(this.#tried) && this.mayRetry("member-down")) this.#exchange.leaveMember();
  }

  /** May another attempt follow, and is there a member for it? */
  #mayFollow(failure: Failure): boolean {
    return this.mayRetry(failure) && this.#context.cluster.hasOther(this.#tried);
  }

  #attempt(member: Member): void {
    const { cluster, evacuation, metrics } = this.#context;
    this.#tried.push(member.id);
    this.#number += 1;
    if (this.#number > 1) metrics.retried();
    this.#member = member;
    this.#answering = false;
    this.#responseTimeoutMs = Math.max(1, this.#untilMs - nowMs());
    cluster.acquire(member);
    evacuation.enter(this);
    this.#send(this.#exchange, this);
  }

  #note(failure: Failure, reason: string): void {
    this.#context.metrics.attemptFailed(this.member.id, failure);
    this.#failed.push({ member: this.member.id, failure, reason });
  }

  #end(outcome: AttemptOutcome): void {
    if (outcome.kind === "failed") this.#context.log.report(this.#exchange, outcome, this.#failed);
    this.#exchange.over(this.#nobodyIsLeft(outcome) ? { ...outcome, nobodyLeft: true } : outcome);
  }

  /** Has every member failed a request that could safely be made again elsewhere? */
  #nobodyIsLeft(outcome: AttemptOutcome): outcome is FailedOutcome {
    const { request, replayable, answered } = this.#exchange;
    if (outcome.kind === "answered" || this.#tried.length === 0 || answered) return false;
    return (
      !this.#context.cluster.hasOther(this.#tried) &&
      mayRetry(outcome.failure, { method: request.method, replayable, attempts: 0 })
    );
  }
}
