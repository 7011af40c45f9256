// What has been tried for one exchange: at which members, how many of them took no connection, how many broke over it. Whether it may be
// tried once more is a rule of failures.ts.

import { monotonicMs } from "../../runtime/clock.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { SWITCHED } from "../cluster/counts.ts";
import type { Member } from "../cluster/members.ts";
import { brokeOverIt, countedAttempts, type Failure, mayRetry, type Repetition } from "../rules/failures.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";

type Request = Pick<Repetition, "method" | "replayable">;

export class Tries {
  readonly #cluster: Pick<Cluster, "isLeaving">;
  readonly #brokeMax: number;
  /** Ids of the members that have been asked. */
  readonly ids: string[] = [];
  #number = 0;
  #member: Member | undefined;
  #begunMs = 0;
  /** How many members took no connection. */
  #refused = 0;
  /** The members that broke over it. */
  #broke: readonly Member[] = [];

  /** @param brokeMax after how many members that broke over a request it may be sent once more */
  constructor(cluster: Pick<Cluster, "isLeaving">, brokeMax: number) {
    this.#cluster = cluster;
    this.#brokeMax = brokeMax;
  }

  /** Of the present attempt, from 1. */
  get number(): number {
    return this.#number;
  }

  /** The member of the present attempt. */
  get member(): Member {
    return this.#member as Member;
  }

  begin(member: Member): void {
    this.ids.push(member.id);
    this.#number += 1;
    this.#member = member;
    this.#begunMs = monotonicMs();
  }

  /** The head of its response has come. */
  answering(status: number): void {
    const { counts } = this.member;
    const ms = monotonicMs() - this.#begunMs;
    counts.firstByte.observe(ms / 1_000);
    if (status === SWITCHED) counts.answered(status, ms);
  }

  over(outcome: AttemptOutcome): void {
    this.member.counts.over(outcome, monotonicMs() - this.#begunMs);
  }

  failed(failure: Failure): void {
    if (this.#breaks(failure)) this.#broke = [...this.#broke, this.member];
    if (failure === "refused") this.#refused += 1;
  }

  /** What was tried before counts no longer, but for whom it broke. */
  beginAnew(): void {
    this.ids.length = 0;
    this.#number = 0;
    this.#refused = 0;
  }

  /** May another attempt follow this failure of the present one, which is not yet counted? */
  mayFollow(failure: Failure, request: Request): boolean {
    const refused = this.#refused + (failure === "refused" ? 1 : 0);
    const breaks = this.#breaks(failure) && !this.#cluster.isLeaving(this.member) ? 1 : 0;
    return this.#mayRetry(failure, request, countedAttempts(this.#number, refused), this.#brokeOver() + breaks);
  }

  /** Could it be made again by somebody else, whatever was tried here? */
  mayFollowElsewhere(failure: Failure, request: Request): boolean {
    return this.#mayRetry(failure, request, 0, this.#brokeOver());
  }

  /** Could it be made again if those that it broke had left of their own accord? */
  isSuspect(failure: Failure, request: Request): boolean {
    return !this.isCleared && this.#mayRetry(failure, request, 0, 0);
  }

  /** Has it broken no more members than it may? */
  get isCleared(): boolean {
    return this.#brokeOver() <= this.#brokeMax;
  }

  #mayRetry(failure: Failure, { method, replayable }: Request, attempts: number, broke: number): boolean {
    return mayRetry(failure, { method, replayable, attempts, broke, brokeMax: this.#brokeMax });
  }

  #breaks(failure: Failure): boolean {
    return brokeOverIt(failure, monotonicMs() - this.#begunMs);
  }

  /** One that was asked to stop did not break over the request, also where that came out a moment later. */
  #brokeOver(): number {
    return this.#broke.filter((member) => !this.#cluster.isLeaving(member)).length;
  }
}
