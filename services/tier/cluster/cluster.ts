// The tier's members over time: takes in the registry, the outcomes of attempts and the probes of the ejected, and holds the
// snapshot that requests read. All rules are in members.ts and health.ts; this is their clock, dice, log and timer.

import type { Registry, RegistryMember } from "../../registry/document.ts";
import type { Log } from "../../runtime/log.ts";
import { probe } from "../../runtime/probe.ts";
import { observe, probeDue, type Witness } from "./health.ts";
import { adopt, isLost, type Member, type Members, nobody, type Snapshot, snapshotOf, withHealth } from "./members.ts";

const PROBE_INTERVAL_MS = 250;
const PROBE_TIMEOUT_MS = 1_000;

export interface RosterOptions {
  readonly log: Log;
  /** Which of the registry's members this tier forwards to. */
  readonly mine: (member: RegistryMember) => boolean;
  readonly onEjected: (member: Member) => void;
  readonly onMembers: (members: Iterable<Member>) => void;
}

export class Roster {
  readonly #options: RosterOptions;
  #members: Members = new Map();
  #snapshot: Snapshot = nobody;
  #probing = new Set<string>();

  constructor(options: RosterOptions) {
    this.#options = options;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Has the registry given up this instance? */
  isLost(member: Member): boolean {
    return isLost(this.#members, member);
  }

  /** Begins to probe the ejected, until `stop`. */
  start(stop: AbortSignal): void {
    const timer = setInterval(() => this.#probeEjected(), PROBE_INTERVAL_MS);
    stop.addEventListener("abort", () => clearInterval(timer), { once: true });
  }

  adopt(registry: Registry): void {
    this.#change(adopt(this.#members, registry.members.filter(this.#options.mine), Date.now()));
    this.#options.onMembers(this.#members.values());
    const serving = this.#snapshot.serving.map(({ id }) => id);
    this.#options.log("registry-adopted", { version: registry.version, serving });
  }

  /** The hot path when all is well: nothing changes and nothing is made. */
  witness(member: Member, witness: Witness): void {
    const known = this.#members.get(member.id);
    if (known?.instance !== member.instance) return;
    const { health, flip } = observe(known.health, witness, Date.now(), Math.random());
    if (health === known.health) return;
    this.#change(withHealth(this.#members, known, health));
    if (flip === undefined) return;
    if (flip.now !== "ejected") {
      this.#options.log(flip.now === "up" ? "member-recovered" : "member-half-open", { member: known.id, ...flip });
      return;
    }
    // Also read by the watchdog, which then probes the member at once.
    this.#options.log("member-failing", { member: known.id, ...flip });
    this.#options.onEjected(known);
  }

  #change(members: Members): void {
    const was = this.#snapshot;
    const now = snapshotOf(members);
    this.#members = members;
    this.#snapshot = now;
    const { log } = this.#options;
    if (now.panic !== was.panic) log(now.panic ? "cluster-failing" : "cluster-recovered", shares(members));
    const isReady = now.serving.length > 0;
    if (isReady !== was.serving.length > 0) log(isReady ? "ready" : "not-ready");
  }

  #probeEjected(): void {
    for (const member of this.#members.values()) {
      if (!probeDue(member.health, Date.now()) || this.#probing.has(member.instance)) continue;
      this.#probing.add(member.instance);
      void this.#probeOne(member);
    }
  }

  async #probeOne(member: Member): Promise<void> {
    const result = await probe(member, { path: "/readyz", timeoutMs: PROBE_TIMEOUT_MS });
    this.#probing.delete(member.instance);
    if (result.kind === "passed") this.witness(member, { kind: "probed" });
    if (result.kind === "silent") this.witness(member, { kind: "unreachable", reason: result.reason });
  }
}

/** How many of the members that serve by the registry are up. */
function shares(members: Members): { readonly up: number; readonly serving: number } {
  const serving = [...members.values()].filter(({ state }) => state === "serving");
  return { up: serving.filter(({ health }) => health.kind === "up").length, serving: serving.length };
}
