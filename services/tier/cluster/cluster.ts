// One upstream as a tier sees it: its members with their health, concurrency, policy, stickiness and connections, over time. The rules
// are in the Pure files beside this one; their clock, dice, log and timer are here. A tier may have several clusters.

import { headerId } from "../../http/message/known-headers.ts";
import type { MessageHead } from "../../http/message/message-head.ts";
import type { Registry } from "../../registry/document.ts";
import { nowMs } from "../../runtime/clock.ts";
import type { Settings } from "../../runtime/config.ts";
import type { Log } from "../../runtime/log.ts";
import { probe } from "../../runtime/probe.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";
import type { Answerer } from "../rules/tier-signals.ts";
import { choose, type Policy } from "./choose.ts";
import { Concurrency } from "./concurrency.ts";
import { type Flip, healthy, type Outcome, observe, outcomeOf, probeDue } from "./health.ts";
import { Leavers } from "./leavers.ts";
import { adopt, isLost, type Member, type Members, nobody, sharesOf, snapshotOf, withHealth } from "./members.ts";
import type { Waiter } from "./queue.ts";
import { type Select, withLeaving } from "./selection.ts";
import { bindTo, cookieName, stickyMember } from "./sticky.ts";

const ANSWERED: Outcome = { kind: "answered" };
const PROBE_INTERVAL_MS = 250;
const PROBE_TIMEOUT_MS = 1_000;

/** What may change while it is in use. */
export interface ClusterRules {
  readonly policy: Policy;
  /** Where its members are servers, and not tiers of ours in front of them. */
  readonly policyOfServers: Policy;
  /** Undefined: sessions are not sticky. */
  readonly stickyCookie: string | undefined;
}

export interface ClusterOptions extends ClusterRules {
  readonly settings: Settings;
  readonly log: Log;
  readonly select: Select;
}

/** What the choice goes by for one exchange, through all its attempts. */
export interface Turn {
  /** Counts the exchanges: what round robin goes by. */
  readonly number: number;
  /** The member that the client's earlier requests went to. */
  readonly sticky: string | undefined;
  /** Could it be made again elsewhere, should the member turn out to be broken? */
  readonly repeatable: boolean;
}

export class Cluster {
  readonly #options: ClusterOptions;
  readonly #concurrency: Concurrency;
  readonly #probing = new Set<string>();
  readonly #leavers = new Leavers();
  #rules: ClusterRules;
  #members: Members = new Map();
  #snapshot = nobody;
  #turn = 0;

  constructor(options: ClusterOptions) {
    const { MEMBER_REQUESTS_MAX, QUEUE_MAX, QUEUE_TIMEOUT_MS, WORKER = 0 } = options.settings;
    this.#options = options;
    this.#rules = options;
    // So that workers do not all begin with the same member.
    this.#turn = WORKER;
    this.#concurrency = new Concurrency({
      perMemberMax: MEMBER_REQUESTS_MAX,
      waitingMax: QUEUE_MAX,
      waitMsMax: QUEUE_TIMEOUT_MS,
    });
  }

  /** Those that may get a new exchange. */
  get serving(): readonly Member[] {
    return this.#snapshot.serving;
  }

  /** How many requests wait for capacity. */
  get waiting(): number {
    return this.#concurrency.waiting;
  }

  get members(): Iterable<Member> {
    return this.#members.values();
  }

  configure(rules: ClusterRules): void {
    this.#rules = rules;
  }

  /** Begins to probe the ejected, until `stop`. */
  start(stop: AbortSignal): void {
    const timer = setInterval(() => this.#probeEjected(), PROBE_INTERVAL_MS);
    stop.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  adopt(registry: Registry): void {
    const before = this.#members;
    const selected = this.#options.select(registry);
    this.#change(adopt(before, withLeaving(selected, registry, before), nowMs()));
    this.#leavers.adopt(before, this.#members);
    this.#concurrency.membersChanged();
  }

  /** Has the registry given up this instance? */
  isLost(member: Member): boolean {
    return isLost(this.#members, member);
  }

  /** Was it asked to stop, by the registry, or taken away? Also where its slot is filled anew since. */
  isLeaving(member: Member): boolean {
    return this.#leavers.has(member);
  }

  /** @param repeatable could it be made again elsewhere, should the member turn out to be broken? */
  nextTurn(request: MessageHead, repeatable: boolean): Turn {
    const sticky = this.#stickyOf(request);
    // A client that is bound takes no turn: else of visitors with two requests each, two members would share none.
    if (!this.#serves(sticky)) this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return { number: this.#turn, sticky, repeatable };
  }

  /** The member for the next attempt; undefined when none that is left has capacity. @param tried ids of those asked before */
  choose({ number, sticky, repeatable }: Turn, tried: readonly string[]): Member | undefined {
    return choose(this.#snapshot, {
      policy: this.#snapshot.serving[0]?.role === "server" ? this.#rules.policyOfServers : this.#rules.policy,
      turn: number,
      sticky,
      repeatable,
      tried,
      random: Math.random,
      nowMs: nowMs(),
      capacity: this.#concurrency,
    });
  }

  /** Does a member serve that has not been tried? */
  hasOther(tried: readonly string[]): boolean {
    return this.#snapshot.serving.some(({ id }) => !tried.includes(id));
  }

  /** Waits until some member has capacity. @returns false when too many wait already */
  wait(waiter: Waiter): boolean {
    return this.#concurrency.wait(waiter);
  }

  /** Waits no longer. */
  leave(waiter: Waiter): void {
    this.#concurrency.leave(waiter);
  }

  /** An attempt begins. */
  acquire(member: Member): void {
    this.#concurrency.acquire(member);
    if (member.health.kind === "half-open") this.#observe(member, { kind: "claimed" });
  }

  /** The head of its response has come. @param from whom it says something of */
  answering(member: Member, status: number, from: Answerer): void {
    this.#observe(member, from !== "member" || status < 500 ? ANSWERED : outcomeOf({ kind: "answered", status }));
    this.#concurrency.answering(this.#asKnown(member));
  }

  /** The attempt is over. @param answering has the head of its response come? */
  release(member: Member, outcome: AttemptOutcome, answering: boolean): void {
    // Those that wait must not be sent to a member that has just failed.
    if (outcome.kind === "failed") this.#observe(member, outcomeOf(outcome));
    this.#concurrency.release(this.#asKnown(member), answering);
  }

  /**
   * The Set-Cookie that binds a client to a member; undefined where it is bound already, or none is wanted.
   * @param client has it come over TLS? Asked only where there is a cookie
   */
  binding({ sticky }: Turn, { id, role }: Member, client: { readonly secure: boolean }): string | undefined {
    const { stickyCookie } = this.#rules;
    if (stickyCookie === undefined || sticky === id) return undefined;
    const { STICKY_COOKIE_SAMESITE: sameSite } = this.#options.settings;
    return bindTo({ name: cookieName(stickyCookie, role), member: id, secure: client.secure, sameSite });
  }

  /** As the registry has it now: the servers behind it may have become more. */
  #asKnown(member: Member): Member {
    const known = this.#members.get(member.id);
    return known?.instance === member.instance ? known : member;
  }

  #serves(member: string | undefined): boolean {
    return member !== undefined && this.#snapshot.serving.some(({ id }) => id === member);
  }

  #stickyOf(request: MessageHead): string | undefined {
    const { stickyCookie } = this.#rules;
    if (stickyCookie === undefined) return undefined;
    const role = this.#snapshot.serving[0]?.role ?? "";
    return stickyMember(request.value(headerId.cookie), cookieName(stickyCookie, role));
  }

  /** When all is well nothing changes and nothing is made. */
  #observe(member: Member, outcome: Outcome): void {
    const known = this.#members.get(member.id);
    if (known?.instance !== member.instance) return;
    if (known.health === healthy && outcome === ANSWERED) return;
    const { health, flip } = observe(known.health, outcome, { nowMs: nowMs(), random: Math.random() });
    if (health === known.health) return;
    this.#change(withHealth(this.#members, known, health));
    if (flip !== undefined) this.#report(known, flip);
    if (flip !== undefined || health.kind === "half-open") this.#concurrency.membersChanged();
  }

  #report(member: Member, flip: Flip): void {
    this.#options.log(FLIPS[flip.now], { member: member.id, ...flip });
    if (flip.now === "ejected") member.counts.ejections += 1;
  }

  #change(members: Members): void {
    const was = this.#snapshot;
    const now = snapshotOf(members, this.#options.settings.NODE_NAME);
    this.#members = members;
    this.#snapshot = now;
    const { log } = this.#options;
    if (now.panic !== was.panic) log(now.panic ? "cluster-failing" : "cluster-recovered", sharesOf(members));
    const isReady = now.serving.length > 0;
    if (isReady !== was.serving.length > 0) log(isReady ? "ready" : "not-ready");
  }

  #probeEjected(): void {
    for (const member of this.#members.values()) {
      if (!probeDue(member.health, nowMs()) || this.#probing.has(member.instance)) continue;
      this.#probing.add(member.instance);
      void this.#probeOne(member);
    }
  }

  async #probeOne(member: Member): Promise<void> {
    const { host, port, adminPort, healthPath } = member;
    const connection = adminPort === undefined ? ("kept" as const) : ("new" as const);
    const question = { path: "/readyz", timeoutMs: PROBE_TIMEOUT_MS, connection } as const;
    const result = await probe({ host, port, adminPort, healthPath }, question);
    this.#probing.delete(member.instance);
    if (result.kind === "passed") this.#observe(member, { kind: "probed" });
    if (result.kind === "silent") this.#observe(member, { kind: "unreachable", reason: result.reason });
  }
}

/** What is logged when a member's health changes. The watchdog reads of an ejection too, and then probes the member at once. */
const FLIPS = { up: "member-recovered", ejected: "member-failing", "half-open": "member-half-open" } as const;
