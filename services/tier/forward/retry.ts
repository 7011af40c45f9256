// One exchange over one cluster: attempt after attempt, each at another member, until one answers or none may follow. What may be
// repeated is a rule of failures.ts, how often one of retry-budget.ts; the one deadline over all attempts is kept here.

import { nowMs } from "../../runtime/clock.ts";
import type { Cluster, Turn } from "../cluster/cluster.ts";
import type { Member } from "../cluster/members.ts";
import type { Waiter } from "../cluster/queue.ts";
import type { TierMetrics } from "../metrics.ts";
import { brokeOverIt, type Failure, isRepeatable, mayRetry, type Repetition } from "../rules/failures.ts";
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
  /** From the first attempt to the head of the response, over all attempts; what is spent in the queue is no member's time. */
  readonly deadlineMs: number;
  /** After how many members that broke over a request it may be sent once more. */
  readonly brokeMax: number;
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
  #untilMs: number;
  /** Ids of the members that have been asked. */
  readonly #tried: string[] = [];
  readonly #failed: FailedAttempt[] = [];
  #number = 0;
  #begunMs = 0;
  /** How many members broke over it. */
  #broke = 0;
  /** By the clock; undefined: it does not wait. */
  #waitingSinceMs: number | undefined;
  #member: Member | undefined;
  #responseTimeoutMs = 0;
  /** Has the head of the current attempt's response come? */
  #answering = false;

  constructor(exchange: Exchange, send: Send<Exchange>, context: RetryContext) {
    this.#exchange = exchange;
    this.#send = send;
    this.#context = context;
    const { request, replayable } = exchange;
    this.#turn = context.cluster.nextTurn(request, replayable && isRepeatable(request.method));
    this.#untilMs = nowMs() + context.deadlineMs;
  }

  start(): void {
    this.#context.budget.earn();
    this.#next();
  }

  get ready(): boolean {
    const { cluster } = this.#context;
    return cluster.choose(this.#turn, this.#tried) !== undefined || !cluster.hasOther(this.#tried);
  }

  proceed(): void {
    const sinceMs = this.#waitNoLonger();
    if (sinceMs === undefined) return;
    this.#untilMs += nowMs() - sinceMs;
    this.#next();
  }

  giveUp(): void {
    if (this.#waitNoLonger() !== undefined) this.#end(OVERLOADED);
  }

  get member(): Member {
    return this.#member as Member;
  }

  get number(): number {
    return this.#number;
  }

  get cookie(): string | undefined {
    return this.#context.cluster.binding(this.#turn, this.member, this.#exchange);
  }

  get responseTimeoutMs(): number {
    return this.#responseTimeoutMs;
  }

  answering(status: number, aboutOthers: boolean): void {
    this.#answering = true;
    // A long body, or an upgraded connection, may end hours later.
    this.#context.log.report(this.#exchange, { kind: "answered", status }, this.#failed);
    this.#context.evacuation.leave(this);
    this.#context.cluster.answering(this.member, status, aboutOthers);
  }

  mayRetry(failure: Failure): boolean {
    if (this.#exchange.answered || nowMs() >= this.#untilMs || !this.#context.budget.affords(failure)) return false;
    return mayRetry(failure, this.#repetition(this.#number, this.#broke + this.#brokeNow(failure)));
  }

  over(outcome: AttemptOutcome): void {
    const { cluster, evacuation, budget } = this.#context;
    evacuation.leave(this);
    cluster.release(this.member, outcome, this.#answering);
    if (outcome.kind === "failed") this.#note(outcome.failure, outcome.reason);
    const follows = outcome.kind === "failed" && this.#mayFollow(outcome.failure);
    if (outcome.kind === "failed") this.#broke += this.#brokeNow(outcome.failure);
    if (!follows) {
      this.#end(outcome);
      return;
    }
    budget.spend(outcome.failure);
    this.#next();
  }

  /** The member is gone: asks another one at once, where that is allowed and there is one; else it may answer yet. */
  evacuate(): void {
    if (this.#context.cluster.hasOther(this.#tried) && this.mayRetry("member-down")) this.#exchange.leaveMember();
  }

  #next(): void {
    const { cluster } = this.#context;
    const { givenUp } = this.#exchange;
    const member = givenUp === undefined ? cluster.choose(this.#turn, this.#tried) : undefined;
    if (givenUp !== undefined) this.#end({ kind: "failed", failure: givenUp, reason: givenUp });
    else if (member !== undefined) this.#attempt(member);
    else if (!cluster.hasOther(this.#tried)) this.#end(NOBODY_SERVES);
    else this.#wait();
  }

  #wait(): void {
    this.#waitingSinceMs = nowMs();
    if (!this.#context.cluster.wait(this)) this.#end(OVERLOADED);
    else this.#exchange.whileWaiting(() => this.#leave());
  }

  /** The client has given up, or may have: its place in the queue is another's. */
  #leave(): void {
    const { givenUp } = this.#exchange;
    this.#context.cluster.leave(this);
    if (this.#waitNoLonger() === undefined) return;
    this.#end(givenUp === undefined ? OVERLOADED : { kind: "failed", failure: givenUp, reason: givenUp });
  }

  /** @returns since when it has waited; undefined when it does not: of several that are told, one may have ended another */
  #waitNoLonger(): number | undefined {
    const sinceMs = this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
    this.#exchange.whileWaiting(undefined);
    return sinceMs;
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
    this.#begunMs = nowMs();
    this.#responseTimeoutMs = Math.max(1, this.#untilMs - this.#begunMs);
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
    if (outcome.kind === "answered" || this.#tried.length === 0 || this.#exchange.answered) return false;
    return !this.#context.cluster.hasOther(this.#tried) && mayRetry(outcome.failure, this.#repetition(0, this.#broke));
  }

  #repetition(attempts: number, broke: number): Repetition {
    const { request, replayable } = this.#exchange;
    return { method: request.method, replayable, attempts, broke, brokeMax: this.#context.brokeMax };
  }

  #brokeNow(failure: Failure): 0 | 1 {
    return brokeOverIt(failure, nowMs() - this.#begunMs) ? 1 : 0;
  }
}
