// Probes the members, one probe a slot at a time, each of one run of its member, and keeps what is known of each slot from
// them. A round waits as long as a sound member needs to answer, and no longer: a probe that hangs ends in a later round.
// liveness.ts decides what a probe means.

import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../../services/runtime/clock.ts";
import type { Settings } from "../../services/runtime/config.ts";
import { type ProbeTarget, probe } from "../../services/runtime/probe.ts";
import type { Found, Ports } from "../engines/discovery.ts";
import {
  admitted,
  afterDeath,
  afterHeal,
  afterLook,
  afterProbe,
  afterRound,
  counted,
  type HeardProbe,
  type Liveness,
  suspect,
  unprobed,
} from "./liveness.ts";

/** A sound member answers within this; the round goes on without the others. */
const ROUND_WAITS_MS = 60;
/** A probe that took so much longer than it may was kept waiting by ourselves: it says nothing about the member. */
const OWN_DELAY_MS = 150;
/** Every so many probes of a slot are made on a new connection: one that takes no more of them is found out, suspected or not. */
const NEW_EVERY = 10;

export class Prober {
  readonly #limits: Pick<Settings, "PROBE_TIMEOUT_MS" | "PROBE_FAILURES">;
  readonly #onNews: () => void;
  /** By slot. */
  readonly #known = new Map<string, Liveness>();
  /** By slot: the probe under way. */
  readonly #underWay = new Map<string, Promise<void>>();
  /** By slot: when the last probe of its present run was over. */
  readonly #heardMs = new Map<string, number>();
  /** By slot: the probes so far. */
  readonly #counts = new Map<string, number>();

  /** @param onNews called when a probe that no round waited for has something to say */
  constructor(limits: Pick<Settings, "PROBE_TIMEOUT_MS" | "PROBE_FAILURES">, onNews: () => void) {
    this.#limits = limits;
    this.#onNews = onNews;
  }

  livenessOf(slot: string): Liveness {
    return this.#known.get(slot) ?? unprobed;
  }

  /** When its last probe was answered, or came to nothing; undefined: it has had none in this run. */
  heardMs(slot: string): number | undefined {
    return this.#heardMs.get(slot);
  }

  /** Takes in what the engine lists and probes each member that can be probed. Resolves when the sound ones have answered. */
  async probe(found: readonly Found[]): Promise<void> {
    const filled = new Set(found.map(({ slot }) => slot));
    for (const slot of this.#known.keys()) if (!filled.has(slot)) this.#cannotProbe(slot);
    for (const member of found) this.#take(member);
    // A dead member needs no probe to be replaced, and its heal waits for nobody's answer.
    if (!found.some(({ life }) => life.kind === "exited")) await this.#waitAWhile();
    for (const slot of this.#known.keys()) this.#change(slot, (liveness) => afterRound(liveness, nowMs()));
  }

  /** A tier cannot reach the slot's member. @returns is that news? */
  suspect(slot: string): boolean {
    const known = this.#known.get(slot);
    if (known === undefined || known.suspected) return false;
    this.#change(slot, suspect);
    return true;
  }

  /** Forgets all other slots: none is called like one of them again. */
  keep(slots: { readonly has: (slot: string) => boolean }): void {
    for (const slot of this.#known.keys()) if (!slots.has(slot)) this.#known.delete(slot);
    for (const slot of this.#heardMs.keys()) if (!slots.has(slot)) this.#heardMs.delete(slot);
    for (const slot of this.#counts.keys()) if (!slots.has(slot)) this.#counts.delete(slot);
    for (const slot of this.#underWay.keys()) if (!slots.has(slot)) this.#underWay.delete(slot);
  }

  died(instance: string): void {
    for (const slot of this.#known.keys()) this.#change(slot, (liveness) => afterDeath(liveness, instance, nowMs()));
  }

  /** A successor is on its way into the slot. */
  healBegun(slot: string): void {
    this.#change(slot, afterHeal);
  }

  #take(found: Found): void {
    const { slot, life, host, probeHost = host, ports, check } = found;
    const before = this.livenessOf(slot);
    this.#change(slot, (liveness) => afterLook(liveness, found, nowMs()));
    if (this.livenessOf(slot) !== before) {
      this.#underWay.delete(slot);
      this.#heardMs.delete(slot);
    }
    if (!found.gated) this.#change(slot, admitted);
    if (life.kind === "running" && found.outOfSight && found.healthy) this.#trust(slot);
    else if (life.kind !== "running" || found.outOfSight || probeHost === undefined || ports === undefined)
      this.#cannotProbe(slot);
    else this.#begin(slot, targetOf(probeHost, ports, check), check?.timeoutMs);
  }

  /** What the engine says of a member that we cannot reach stands for a probe. */
  #trust(slot: string): void {
    this.#underWay.delete(slot);
    this.#heardMs.set(slot, nowMs());
    const heard: HeardProbe = { result: { kind: "passed" }, connection: "new" };
    this.#change(slot, (liveness) => afterProbe(liveness, heard, nowMs()));
  }

  /** A member that does not run, or has not said where it listens, is not asked; nobody waits for a probe of it either. */
  #cannotProbe(slot: string): void {
    this.#underWay.delete(slot);
    this.#heardMs.delete(slot);
    this.#change(slot, (liveness) => counted(liveness, undefined, nowMs()));
  }

  /** Begins a probe, unless one of the slot is under way. */
  #begin(slot: string, target: ProbeTarget | undefined, timeoutMs = this.#limits.PROBE_TIMEOUT_MS): void {
    if (target === undefined || this.#underWay.has(slot)) return;
    const over = this.#probeOne(slot, target, timeoutMs).finally(() => {
      if (this.#underWay.get(slot) === over) this.#underWay.delete(slot);
    });
    this.#underWay.set(slot, over);
  }

  async #probeOne(slot: string, target: ProbeTarget, timeoutMs: number): Promise<void> {
    const { seen, suspected, missed } = this.livenessOf(slot);
    const begunMs = nowMs();
    const count = this.#counts.get(slot) ?? 0;
    this.#counts.set(slot, count + 1);
    // A member in doubt has to show that it takes a new connection.
    const connection = suspected || missed > 0 || count % NEW_EVERY === 0 ? "new" : "kept";
    const result = await probe(target, { path: "/readyz", timeoutMs, connection });
    const tookMs = nowMs() - begunMs;
    const isLate = result.kind === "silent" && tookMs > timeoutMs + OWN_DELAY_MS;
    const isOfThisRun = this.livenessOf(slot).seen?.run === seen?.run;
    if (!isLate && isOfThisRun) this.#hear(slot, { result, connection }, tookMs >= timeoutMs);
  }

  /** @param isOver has the time for an answer passed? */
  #hear(slot: string, heard: HeardProbe, isOver: boolean): void {
    this.#heardMs.set(slot, nowMs());
    const before = this.livenessOf(slot);
    const after = this.#change(slot, (liveness) => afterProbe(liveness, heard, nowMs()));
    if (after === before) return;
    const { PROBE_FAILURES } = this.#limits;
    const { kind } = heard.result;
    // It hangs, by all appearances: ask again at once. One that refuses, or is known to hang, has time until the next round.
    const hangs = kind === "silent" && isOver && after.missed <= PROBE_FAILURES;
    if (hangs || (kind === "passed" && before.probed?.kind !== "passed")) this.#onNews();
  }

  /** Waits for the probes under way, but not for long. */
  async #waitAWhile(): Promise<void> {
    if (this.#underWay.size === 0) return;
    const enough = new AbortController();
    const waited = delay(ROUND_WAITS_MS, undefined, { signal: enough.signal }).catch(() => {});
    await Promise.race([waited, Promise.all(this.#underWay.values())]);
    enough.abort();
  }

  #change(slot: string, change: (liveness: Liveness) => Liveness): Liveness {
    const after = change(this.livenessOf(slot));
    this.#known.set(slot, after);
    return after;
  }
}

/** @returns undefined for one that has no port to be asked at */
function targetOf(host: string, { port, adminPort }: Ports, check: Found["check"]): ProbeTarget | undefined {
  const asked = port ?? adminPort;
  return asked === undefined ? undefined : { host, port: asked, adminPort, healthPath: check?.path };
}
