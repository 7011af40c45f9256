// One exchange over one cluster: attempt after attempt, each at another member, until one answers or none may follow. What may be
// repeated is a rule of failures.ts, how often one of retry-budget.ts; the one deadline over all attempts is kept here.

import { monotonicMs, nowMs } from "../../runtime/clock.ts";
import type { Cluster, Turn } from "../cluster/cluster.ts";
import { type PoolCounts, SWITCHED } from "../cluster/counts.ts";
import type { Member } from "../cluster/members.ts";
import type { Waiter } from "../cluster/queue.ts";
import { type Failure, isRepeatable } from "../rules/failures.ts";
import { type AttemptOutcome, type FailedOutcome, NOBODY_SERVES, OVERLOADED } from "../rules/outcome.ts";
import type { Answerer } from "../rules/tier-signals.ts";
import type { AttemptLog, FailedAttempt } from "./attempt-log.ts";
import type { Evacuation, Evacuee } from "./evacuation.ts";
import type { Held, Hold } from "./hold.ts";
import type { Evidence, News, Suspect } from "./news.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { Attempt, Downstream, Send } from "./send.ts";
import { Tries } from "./tries.ts";

/** What all exchanges of a cluster share. */
export interface RetryContext {
  readonly cluster: Cluster;
  readonly budget: RetryBudget;
  readonly evacuation: Evacuation;
  /** Absent: this tier holds nobody. */
  readonly hold?: Hold;
  readonly news: News;
  readonly log: AttemptLog;
  readonly counts: PoolCounts;
  /** From the first attempt to the head of the response, over all attempts; what is spent in the queue is no member's time. */
  readonly deadlineMs: number;
  /** After how many members that broke over a request it may be sent once more. */
  readonly brokeMax: number;
}

export class Retry<Exchange extends Downstream> implements Attempt, Waiter, Evacuee, Held, Suspect {
  earlier: Evacuee | undefined;
  later: Evacuee | undefined;
  listed = false;
  readonly exchange: Exchange;
  readonly #send: Send<Exchange>;
  readonly #context: RetryContext;
  readonly #turn: Turn;
  readonly #begunMs = monotonicMs();
  #untilMs: number;
  readonly #tries: Tries;
  readonly failed: FailedAttempt[] = [];
  /** By the clock; undefined: it does not wait. */
  #waitingSinceMs: number | undefined;
  #queued = false;
  /** Why it waits for others than the queue's, and since when first; undefined: it never did. */
  #held: { readonly outcome: FailedOutcome; readonly sinceMs: number } | undefined;
  #responseTimeoutMs = 0;
  /** Has the head of the current attempt's response come? */
  #answering = false;

  constructor(exchange: Exchange, send: Send<Exchange>, context: RetryContext) {
    this.exchange = exchange;
    this.#send = send;
    this.#context = context;
    const { request, replayable } = exchange;
    this.#turn = context.cluster.nextTurn(request, replayable && isRepeatable(request.method));
    this.#untilMs = nowMs() + context.deadlineMs;
    this.#tries = new Tries(context.cluster, context.brokeMax);
  }

  start(): void {
    const { budget, hold } = this.#context;
    budget.earn();
    if (hold === undefined || !hold.nobodyServes || !this.#isHeld(NOBODY_SERVES)) this.#next();
  }

  get ready(): boolean {
    return this.#context.cluster.choose(this.#turn, this.#tries.ids) !== undefined || this.alone;
  }

  proceed(): void {
    const sinceMs = this.#waitNoLonger();
    if (sinceMs === undefined) return;
    this.#untilMs += nowMs() - sinceMs;
    if (this.#held !== undefined) this.#tries.beginAnew();
    this.#next();
  }

  giveUp(): void {
    if (this.#waitNoLonger() !== undefined) this.#finish(this.#held?.outcome ?? OVERLOADED);
  }

  get evidence(): Evidence {
    return this.#tries;
  }

  get member(): Member {
    return this.#tries.member;
  }

  get number(): number {
    return this.#tries.number;
  }

  get cookie(): string | undefined {
    return this.#context.cluster.binding(this.#turn, this.member, this.exchange);
  }

  get alone(): boolean {
    return !this.#context.cluster.hasOther(this.#tries.ids);
  }

  get responseTimeoutMs(): number {
    return this.#responseTimeoutMs;
  }

  answering(status: number, from: Answerer): void {
    this.#answering = true;
    this.#tries.answering(status);
    if (status === SWITCHED) this.#context.counts.answered(status, monotonicMs() - this.#begunMs);
    // A long body, or an upgraded connection, may end hours later.
    this.#context.log.report(this, { kind: "answered", status });
    this.#context.evacuation.leave(this);
    this.#context.cluster.answering(this.member, status, from);
    if (from !== "fault-behind") this.#context.hold?.answered();
  }

  get fresh(): boolean {
    return this.#tries.fresh;
  }

  mayRetry(failure: Failure, behind?: string): boolean {
    if (this.exchange.answered || nowMs() >= this.#untilMs || !this.#context.budget.affords(failure)) return false;
    return this.#tries.mayFollow(failure, behind, this.#repetition);
  }

  over(outcome: AttemptOutcome): void {
    this.#context.evacuation.leave(this);
    this.#tries.over(outcome);
    this.#context.cluster.release(this.member, outcome, this.#answering);
    if (outcome.kind === "failed" && this.#isFollowed(outcome)) this.#next();
    else this.#end(outcome);
  }

  #isFollowed({ failure, reason, behind }: FailedOutcome): boolean {
    this.failed.push({ member: this.member.id, failure, reason });
    const follows = this.mayRetry(failure, behind?.error) && !this.alone;
    this.#tries.failed(failure, behind?.error);
    if (follows) this.#context.budget.spend(failure);
    return follows;
  }

  /** The member is gone: asks another one at once, where that is allowed and there is one; else it may answer yet. */
  evacuate(): void {
    if (!this.alone && this.mayRetry("member-down")) this.exchange.leaveMember();
  }

  #next(): void {
    const { cluster } = this.#context;
    const { givenUp } = this.exchange;
    const member = givenUp === undefined ? cluster.choose(this.#turn, this.#tries.ids) : undefined;
    if (givenUp !== undefined) this.#end({ kind: "failed", failure: givenUp, reason: givenUp });
    else if (member !== undefined) this.#attempt(member);
    else if (this.alone) this.#end(NOBODY_SERVES);
    else this.#wait();
  }

  #wait(): void {
    this.#waitingSinceMs = nowMs();
    this.#queued = this.#context.cluster.wait(this);
    if (!this.#queued) this.#end(OVERLOADED);
    else this.exchange.whileWaiting(() => this.#leave());
  }

  /** The client has given up, or may have: its place in the queue is another's. */
  #leave(): void {
    const { givenUp } = this.exchange;
    this.#context.cluster.leave(this);
    this.#context.hold?.leave(this);
    this.#context.news.leave(this);
    if (this.#waitNoLonger() === undefined) return;
    this.#end(givenUp === undefined ? OVERLOADED : { kind: "failed", failure: givenUp, reason: givenUp });
  }

  /** @returns since when it has waited; undefined when it does not: of several that are told, one may have ended another */
  #waitNoLonger(): number | undefined {
    const sinceMs = this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
    if (this.#queued && sinceMs !== undefined) this.#context.counts.queueWait.observe((nowMs() - sinceMs) / 1_000);
    this.#queued = false;
    this.exchange.whileWaiting(undefined);
    return sinceMs;
  }

  #attempt(member: Member): void {
    const { cluster, evacuation, counts } = this.#context;
    this.#tries.begin(member);
    if (this.failed.length > 0) counts.retries += 1;
    this.#answering = false;
    this.#responseTimeoutMs = Math.max(1, this.#untilMs - nowMs());
    cluster.acquire(member);
    evacuation.enter(this);
    this.#send(this.exchange, this);
  }

  #end(outcome: AttemptOutcome): void {
    if (outcome.kind === "answered" || !(this.#awaitsNews(outcome) || this.#isHeld(outcome))) this.#finish(outcome);
  }

  /** Members died over it, and the registry may yet say that they were asked to. */
  #awaitsNews(outcome: FailedOutcome): boolean {
    if (this.exchange.answered || !this.#tries.isSuspect(outcome.failure, this.#repetition)) return false;
    if (!this.#context.news.enter(this)) return false;
    this.#park(outcome, nowMs());
    return true;
  }

  /** Nobody serves, and somebody is about to: it waits, where all of it can still be sent. */
  #isHeld(outcome: FailedOutcome): boolean {
    const { hold } = this.#context;
    if (hold === undefined || this.exchange.answered) return false;
    if (outcome.failure !== "no-member" && !this.#nobodyIsLeft(outcome)) return false;
    const now = nowMs();
    const { sinceMs } = this.#held ?? { sinceMs: now };
    if (this.exchange.keptBytes === undefined || !hold.enter(this, sinceMs)) return false;
    this.#park(outcome, sinceMs);
    return true;
  }

  #park(outcome: FailedOutcome, sinceMs: number): void {
    this.#held = { outcome, sinceMs };
    this.#waitingSinceMs = nowMs();
    this.exchange.whileWaiting(() => this.#leave());
  }

  #finish(outcome: AttemptOutcome): void {
    const { counts, log } = this.#context;
    counts.over(outcome, monotonicMs() - this.#begunMs);
    if (outcome.kind === "failed") log.report(this, outcome);
    this.exchange.over(this.#nobodyIsLeft(outcome) ? { ...outcome, nobodyLeft: true } : outcome);
  }

  /** Has every member failed a request that could safely be made again elsewhere? */
  #nobodyIsLeft(outcome: AttemptOutcome): outcome is FailedOutcome {
    if (outcome.kind === "answered" || this.#tries.ids.length === 0 || this.exchange.answered) return false;
    const mayFollow = this.#tries.mayFollowElsewhere(outcome.failure, this.#repetition);
    return mayFollow && this.alone;
  }

  get #repetition(): { readonly method: string; readonly replayable: boolean } {
    const { request, replayable } = this.exchange;
    return { method: request.method, replayable };
  }
}
