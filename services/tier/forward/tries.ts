// What has been tried for one exchange: at which members, how many of them took no connection, how many broke over it. What failed at one
// that was asked to stop does not count, also where that comes out later. Whether it may be tried once more is a rule of failures.ts.

import { monotonicMs } from "../../runtime/clock.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { SWITCHED } from "../cluster/counts.ts";
import type { Member } from "../cluster/members.ts";
import {
  ATTEMPTS_MAX,
  type BrokeOverIt,
  breaks,
  brokeOverIt,
  countedAttempts,
  type Failure,
  mayRetry,
  type Repetition,
} from "../rules/failures.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";

type Request = Pick<Repetition, "method" | "replayable">;

interface FailedTry {
  readonly member: Member;
  readonly failure: Failure;
  readonly broke: BrokeOverIt;
  /** By monotonicMs(). */
  readonly atMs: number;
}

/** A process on its way out hardly answers what begins so long after it has broken a connection. */
const SERVES_ON_MS = 100;

function servesOn({ member, atMs }: FailedTry): boolean {
  return member.load.provedMs > atMs + SERVES_ON_MS;
}

export class Tries {
  readonly #cluster: Pick<Cluster, "isLeaving">;
  readonly #brokeMax: number;
  /** Ids of the members that have been asked. */
  readonly ids: string[] = [];
  #number = 0;
  #member: Member | undefined;
  #begunMs = 0;
  #fresh = false;
  readonly #failed: FailedTry[] = [];
  /** Those that broke over it before it began anew. */
  readonly #brokeBefore: FailedTry[] = [];

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
    this.#fresh = [...this.#brokeBefore, ...this.#failed].some(({ broke }) => broke !== "no");
    this.#member = member;
    this.#begunMs = monotonicMs();
  }

  /** Is the present attempt to have a connection of its own, so that it is known who broke it? */
  get fresh(): boolean {
    return this.#fresh;
  }

  /** The head of its response has come. */
  answering(status: number): void {
    const { counts, load } = this.member;
    load.provedMs = Math.max(load.provedMs, this.#begunMs);
    const ms = monotonicMs() - this.#begunMs;
    counts.firstByte.observe(ms / 1_000);
    if (status === SWITCHED) counts.answered(status, ms);
  }

  over(outcome: AttemptOutcome): void {
    this.member.counts.over(outcome, monotonicMs() - this.#begunMs);
  }

  /** @param behind what the tier behind us failed with */
  failed(failure: Failure, behind: string | undefined): void {
    this.#failed.push(this.#present(failure, behind));
  }

  /** What was tried before counts no longer, but for whom it broke. */
  beginAnew(): void {
    this.#brokeBefore.push(...this.#failed.filter(({ broke }) => broke !== "no"));
    this.#failed.length = 0;
    this.ids.length = 0;
    this.#number = 0;
  }

  /** May another attempt follow this failure of the present one, which is not yet counted? */
  mayFollow(failure: Failure, behind: string | undefined, request: Request): boolean {
    const failed = [...this.#failed, this.#present(failure, behind)];
    return this.#mayRetry(failure, request, this.#attempts(failed), this.#brokeOver(failed));
  }

  /** Could it be made again by somebody else, whatever was tried here? */
  mayFollowElsewhere(failure: Failure, request: Request): boolean {
    return this.#mayRetry(failure, request, 0, this.#brokeOver(this.#failed));
  }

  /** Could it be made again if those that broke the connection had left of their own accord? */
  isSuspect(failure: Failure, request: Request): boolean {
    const broken = this.#failed.some((one) => breaks(one.failure) && !this.#cluster.isLeaving(one.member));
    return broken && !this.isCleared && this.#mayRetry(failure, request, 0, 0);
  }

  /** Has it broken no more members than it may, and is an attempt left? */
  get isCleared(): boolean {
    return this.#brokeOver(this.#failed) <= this.#brokeMax && this.#attempts(this.#failed) < ATTEMPTS_MAX;
  }

  /** Those that have answered since were hardly asked to stop. Do they alone keep it from another attempt, whatever the others were? */
  get isVain(): boolean {
    const failed = this.#failed.filter(servesOn);
    const broke = this.#brokeOver(failed, this.#brokeBefore.filter(servesOn));
    return broke > this.#brokeMax || this.#attempts(failed) >= ATTEMPTS_MAX;
  }

  #mayRetry(failure: Failure, { method, replayable }: Request, attempts: number, broke: number): boolean {
    return mayRetry(failure, { method, replayable, attempts, broke, brokeMax: this.#brokeMax });
  }

  #present(failure: Failure, behind: string | undefined): FailedTry {
    const { member } = this;
    const atMs = monotonicMs();
    const lastedMs = atMs - this.#begunMs;
    const anew = this.#brokeBefore.length > 0;
    return {
      member,
      failure,
      atMs,
      broke: brokeOverIt({ failure, behind, role: member.role, lastedMs, fresh: this.#fresh, anew }),
    };
  }

  #attempts(failed: readonly FailedTry[]): number {
    const counted = failed.filter(({ member }) => !this.#cluster.isLeaving(member));
    return countedAttempts(counted.length, counted.filter(({ failure }) => failure === "refused").length);
  }

  /** Where one surely broke over it, those that may have broken for reasons of their own have not. */
  #brokeOver(failed: readonly FailedTry[], before: readonly FailedTry[] = this.#brokeBefore): number {
    const all = [...before, ...failed].filter(({ member }) => !this.#cluster.isLeaving(member));
    const isSure = all.some(({ broke }) => broke === "surely");
    return isSure ? all.filter(({ broke }) => broke !== "no").length : 0;
  }
}
