// Attempt after attempt for one request, each at another member, until one answers or none may follow: choose, forward, report
// the outcome. What may be repeated is failures.ts's to say, how often budget.ts's; this holds the one deadline over all.

import type { IncomingMessage } from "node:http";
import type { Settings } from "../../runtime/config.ts";
import type { Log } from "../../runtime/log.ts";
import { type Choice, choose, type Policy } from "../cluster/choose.ts";
import type { Roster } from "../cluster/cluster.ts";
import { Places } from "../cluster/concurrency.ts";
import type { Witness } from "../cluster/health.ts";
import type { Member } from "../cluster/members.ts";
import { bindTo, cookieName, stickyMember } from "../cluster/sticky.ts";
import type { Exchange } from "../downstream/exchange.ts";
import type { TierMetrics } from "../metrics.ts";
import type { Pools } from "../node-http/pools.ts";
import { type Failure, failures, mayRetry } from "../rules/failures.ts";
import type { Attempt } from "./attempt.ts";
import { AttemptLog, type FailedAttempt } from "./attempt-log.ts";
import { type Reached, reach } from "./reach.ts";
import { earn, savings, spend } from "./retry-budget.ts";
import { forward } from "./send.ts";

export interface AttemptsOptions {
  readonly settings: Settings;
  readonly log: Log;
  readonly policy: Policy;
  readonly roster: Roster;
  readonly pools: Pools;
  readonly metrics: TierMetrics;
}

/** One request's way from member to member. */
interface Course {
  readonly exchange: Exchange;
  readonly turn: number;
  readonly deadlineMs: number;
  readonly tried: string[];
  readonly failed: FailedAttempt[];
}

export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #log: AttemptLog;
  readonly #places: Places;
  /** Those that have had no answer yet, and the member that each is at. */
  readonly #awaiting = new Map<Course, Member>();
  readonly #tokensMax: number;
  #tokens: number;
  #turn = 0;

  constructor(options: AttemptsOptions) {
    const { MEMBER_REQUESTS_MAX, QUEUE_MAX, QUEUE_TIMEOUT_MS } = options.settings;
    this.#options = options;
    this.#log = new AttemptLog(options.log);
    this.#tokensMax = savings(MEMBER_REQUESTS_MAX);
    this.#tokens = this.#tokensMax;
    this.#places = new Places({
      perMemberMax: MEMBER_REQUESTS_MAX,
      waitingMax: QUEUE_MAX,
      waitMsMax: QUEUE_TIMEOUT_MS,
    });
  }

  /** @returns how the last attempt ended; a failure that no attempt was made for is "no-member" or "overloaded" */
  async run(exchange: Exchange): Promise<Attempt> {
    if (exchange.givenUp !== undefined) return { kind: "failed", failure: exchange.givenUp, reason: exchange.givenUp };
    this.#tokens = earn(this.#tokens, this.#tokensMax);
    const deadlineMs = Date.now() + this.#options.settings.RESPONSE_TIMEOUT_MS;
    const course: Course = { exchange, turn: this.#nextTurn(), deadlineMs, tried: [], failed: [] };
    let last: Attempt = { kind: "failed", failure: "no-member", reason: "nobody serves" };
    while (last.kind === "failed" && (course.tried.length === 0 || this.#pay(last.failure))) {
      const member = await this.#memberFor(course);
      if (typeof member === "string") {
        if (course.tried.length === 0) last = { kind: "failed", failure: member, reason: member };
        break;
      }
      last = await this.#attempt(member, course);
      if (last.kind === "failed" && !this.#mayFollow(course, last.failure)) break;
    }
    this.#log.report(exchange.request, last, course.failed);
    return this.#nobodyIsLeft(course, last) ? { ...last, nobodyLeft: true } : last;
  }

  /** Has every member failed a request that could safely be made again elsewhere? */
  #nobodyIsLeft(course: Course, last: Attempt): last is Attempt & { kind: "failed" } {
    if (last.kind === "answered" || course.tried.length === 0 || this.#hasOther(course)) return false;
    const { request, response, body } = course.exchange;
    const facts = { method: request.method as string, replayable: body?.replayable ?? true, attempts: 0 };
    return !response.headersSent && mayRetry(last.failure, facts);
  }

  /**
   * After a change of the members: who waits at one that is lost, and may ask another, does so at once. Who may not waits on: a
   * paused member may go on, and one that is only out of our sight may answer yet.
   */
  leaveLost(): void {
    let tokens: number | undefined = this.#tokens;
    for (const [course, member] of this.#awaiting) {
      const leaves = this.#options.roster.isLost(member) && this.#hasOther(course);
      if (!leaves || !this.#mayFollow(course, "member-down")) continue;
      tokens = spend(tokens, "member-down");
      if (tokens === undefined) return;
      course.exchange.leaveMember();
    }
  }

  /** For an upgrade, which is made once. A session that began as requests goes on where they went (socket.io's does). */
  reachOne(request: IncomingMessage): Promise<Reached> {
    const { roster, settings } = this.#options;
    const turn = this.#nextTurn();
    const sticky = this.#stickyOf(request);
    return reach({
      choose: (tried) => this.#choose({ turn, tried, sticky }),
      connectTimeoutMs: settings.CONNECT_TIMEOUT_MS,
      onUnreachable: (member, reason) => roster.witness(member, { kind: "unreachable", reason }),
    });
  }

  /** A member with a place for the request, waited for if need be; or why there is none. */
  async #memberFor(course: Course): Promise<Member | "no-member" | "overloaded"> {
    const { exchange, turn, tried } = course;
    const sticky = this.#stickyOf(exchange.request);
    for (;;) {
      const member = this.#choose({ turn, tried, sticky });
      if (member !== undefined) return member;
      if (!this.#hasOther(course)) return "no-member";
      if (!(await this.#places.wait()) || exchange.givenUp !== undefined) return "overloaded";
    }
  }

  /** Does somebody serve who has not failed this request? */
  #hasOther({ tried }: Course): boolean {
    return this.#options.roster.snapshot.serving.some(({ id }) => !tried.includes(id));
  }

  #choose(facts: Pick<Choice, "turn" | "tried" | "sticky">): Member | undefined {
    const { policy, roster } = this.#options;
    const inFlight = (member: Member) => this.#places.taken(member);
    const hasPlace = (member: Member) => this.#places.hasPlace(member);
    return choose(roster.snapshot, { ...facts, policy, random: Math.random, nowMs: Date.now(), inFlight, hasPlace });
  }

  async #attempt(member: Member, course: Course): Promise<Attempt> {
    const { settings, roster, pools, metrics } = this.#options;
    const { exchange, tried, failed, deadlineMs } = course;
    tried.push(member.id);
    if (tried.length > 1) metrics.retried();
    this.#places.take(member);
    if (member.health.kind === "trial") roster.witness(member, { kind: "claimed" });
    let answering = false;
    this.#awaiting.set(course, member);
    const attempt = await forward(exchange, {
      member,
      line: pools.for(member),
      facts: {
        pseudonym: settings.ID,
        servedBy: member.role === "server" ? member.id : undefined,
        attempts: tried.length,
        cookie: this.#bindingOf(exchange, member),
      },
      connectTimeoutMs: settings.CONNECT_TIMEOUT_MS,
      responseTimeoutMs: Math.max(1, deadlineMs - Date.now()),
      idleTimeoutMs: settings.IDLE_TIMEOUT_MS,
      onAnswering: (status) => {
        answering = true;
        this.#awaiting.delete(course);
        this.#places.deliver(member);
        roster.witness(member, witnessOf({ kind: "answered", status }));
      },
      mayRetry: (failure) => this.#mayFollow(course, failure),
    });
    this.#awaiting.delete(course);
    this.#places.free(member, answering);
    if (attempt.kind === "failed") {
      roster.witness(member, witnessOf(attempt));
      metrics.attemptFailed(member.id, attempt.failure);
      failed.push({ member: member.id, failure: attempt.failure, reason: attempt.reason });
    }
    return attempt;
  }

  #mayFollow({ exchange, tried, deadlineMs }: Course, failure: Failure): boolean {
    const { request, response, body } = exchange;
    if (response.headersSent || Date.now() >= deadlineMs || spend(this.#tokens, failure) === undefined) return false;
    const replayable = body?.replayable ?? true;
    return mayRetry(failure, { method: request.method as string, replayable, attempts: tried.length });
  }

  #pay(failure: Failure): boolean {
    const left = spend(this.#tokens, failure);
    if (left !== undefined) this.#tokens = left;
    return left !== undefined;
  }

  #nextTurn(): number {
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return this.#turn;
  }

  #stickyOf({ headers }: IncomingMessage): string | undefined {
    const { STICKY_COOKIE } = this.#options.settings;
    if (STICKY_COOKIE === undefined) return undefined;
    const role = this.#options.roster.snapshot.serving[0]?.role ?? "";
    return stickyMember(headers.cookie, cookieName(STICKY_COOKIE, role));
  }

  /** Sent only to a client that is not bound to this member already. */
  #bindingOf(exchange: Exchange, { id, role }: Member): string | undefined {
    const { STICKY_COOKIE } = this.#options.settings;
    if (STICKY_COOKIE === undefined || this.#stickyOf(exchange.request) === id) return undefined;
    return bindTo(cookieName(STICKY_COOKIE, role), id);
  }
}

/** What an attempt says of its member. A client's own fault says nothing, and a trial that ended so is free again. */
function witnessOf(attempt: Attempt): Witness {
  if (attempt.kind === "answered") {
    return attempt.status < 500 ? { kind: "answered" } : { kind: "failed", reason: `status ${attempt.status}` };
  }
  const { failure, reason } = attempt;
  const { blame } = failures[failure];
  switch (blame) {
    case "member":
      return { kind: "unreachable", reason };
    case "slow":
      return { kind: "failed", reason };
    case "client":
    case "nobody":
      return { kind: "released" };
    default:
      return blame satisfies never;
  }
}
