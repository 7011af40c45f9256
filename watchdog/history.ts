// What a round knows of each slot: what the engine lists now, one probe of each member, and what is remembered of before.
// The rules are elsewhere (intent.ts, pulse.ts, restart.ts, plan.ts); this gathers their arguments and keeps them across rounds.

import type { Settings } from "../services/config.ts";
import type { Log } from "../services/log.ts";
import { type ProbeResult, probe } from "../services/tier/probe.ts";
import { nowMs } from "./clock.ts";
import type { Engine, Found, Ports, Slot } from "./engine.ts";
import { type EngineEvent, type Wish, wishAfter, wishOfRunning } from "./intent.ts";
import { type Memory, memoryFile, nothing, recall, remember } from "./memory.ts";
import { beat, noPulse, type Pulse, suspect } from "./pulse.ts";
import { healed, recalled, served, unblemished } from "./restart.ts";
import type { Situation } from "./situation.ts";

interface SlotRecord {
  /** The run of the member that fills the slot, and when this watchdog first saw it. Undefined: it never saw one. */
  seen: { readonly run: string; readonly instance: string; readonly sinceMs: number } | undefined;
  pulse: Pulse;
  /** The first sign of the trouble it is in. */
  troubleSinceMs: number | undefined;
  ordered: boolean;
}

export class History {
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #records = new Map<string, SlotRecord>();
  #memory: Memory = structuredClone(nothing);
  #written = "";

  constructor(settings: Settings, log: Log) {
    this.#settings = settings;
    this.#log = log;
  }

  async open(): Promise<void> {
    this.#memory = await recall(this.#file);
    for (const [slot, record] of Object.entries(this.#memory.restarts)) {
      this.#memory.restarts[slot] = recalled(record, nowMs());
    }
  }

  async close(): Promise<void> {
    await this.#write();
  }

  event(event: EngineEvent): void {
    switch (event.kind) {
      case "changed":
        return;
      case "suspected": {
        const record = this.#record(event.slot);
        record.pulse = suspect(record.pulse);
        return;
      }
      case "died":
        this.#noteDeath(event.instance);
        break;
    }
    this.#noteWish(event);
  }

  /** The watchdog keeps its hands off the slot, until `release`. */
  hold(slot: string): void {
    this.#memory.holds[slot] ??= { sinceMs: nowMs() };
  }

  release(slot: string): void {
    delete this.#memory.holds[slot];
  }

  /** The next round puts a new member into the slot, whatever its past. */
  order(slot: string): void {
    this.#record(slot).ordered = true;
  }

  healBegun(slot: string): void {
    const record = this.#record(slot);
    // The first filling that this watchdog makes is a start, not a heal.
    if (record.seen !== undefined && !record.ordered) {
      const before = this.#memory.restarts[slot] ?? unblemished;
      const moment = { nowMs: nowMs(), servedMs: record.pulse.servedMs, random: Math.random() };
      this.#memory.restarts[slot] = healed(before, moment);
    }
    record.pulse = noPulse;
    record.ordered = false;
  }

  /** When the trouble that the slot is in was first seen; undefined: it is in none. */
  troubleSinceMs(slot: string): number | undefined {
    return this.#record(slot).troubleSinceMs;
  }

  /** Looks at every slot once. @param busy is a step of the slot being carried out? */
  async observe(engine: Engine, busy: (slot: string) => boolean): Promise<Situation[]> {
    const [slots, found] = await Promise.all([engine.slots(), engine.list()]);
    const bySlot = new Map(found.map((member) => [member.slot, member]));
    const situations = await Promise.all(
      slots.map((slot) => this.#situation(slot, bySlot.get(slot.id), busy(slot.id))),
    );
    this.#forget(found);
    await this.#write();
    return situations;
  }

  /** How many times each slot has been filled. */
  generations(): ReadonlyMap<string, number> {
    return new Map(Object.entries(this.#memory.fillings).map(([slot, { generation }]) => [slot, generation]));
  }

  async #situation(slot: Slot, listed: Found | undefined, healing: boolean): Promise<Situation> {
    const record = this.#record(slot.id);
    const found = listed && this.#noteFilling(slot.id, listed);
    if (found !== undefined) this.#noteRun(record, found);
    const probed = await this.#probe(found);
    this.#notePulse(slot.id, record, probed);
    const { missed, missedSinceMs, suspected } = record.pulse;
    const wish = this.#wishOf(slot.id, found);
    const held = this.#memory.holds[slot.id];
    return {
      slot,
      seenSinceMs: record.seen?.sinceMs ?? 0,
      missed,
      suspected,
      restart: this.#memory.restarts[slot.id] ?? unblemished,
      ordered: record.ordered,
      healing,
      ...(found === undefined ? {} : { found }),
      ...(wish === undefined ? {} : { wish }),
      ...(probed === undefined ? {} : { probed }),
      ...(missedSinceMs === undefined ? {} : { missedSinceMs }),
      ...(held === undefined ? {} : { held }),
    };
  }

  async #probe(found: Found | undefined): Promise<ProbeResult | undefined> {
    if (found?.life.kind !== "running" || found.host === undefined || found.ports === undefined) return undefined;
    const { port, adminPort } = found.ports;
    return probe({ host: found.host, port: port ?? adminPort, adminPort }, "/readyz", this.#settings.PROBE_TIMEOUT_MS);
  }

  #notePulse(slot: string, record: SlotRecord, probed: ProbeResult | undefined): void {
    record.pulse = beat(record.pulse, probed, nowMs());
    if (probed?.kind === "passed") record.troubleSinceMs = undefined;
    else if (record.seen !== undefined) record.troubleSinceMs ??= nowMs();
    const { [slot]: restart } = this.#memory.restarts;
    if (restart === undefined || record.pulse.servingSinceMs === undefined) return;
    if (served(restart, record.pulse.servedMs) === unblemished) delete this.#memory.restarts[slot];
  }

  /** A restart is a new run of the same instance. What it said and how it answered before is of its past. */
  #noteRun(record: SlotRecord, { instance, life }: Found): void {
    const run = `${instance} ${life.kind === "running" ? life.sinceMs : ""}`;
    if (record.seen?.run === run || (record.seen?.instance === instance && life.kind !== "running")) return;
    record.seen = { run, instance, sinceMs: nowMs() };
    record.pulse = { ...noPulse, servedMs: record.pulse.servedMs };
  }

  #noteDeath(instance: string): void {
    for (const record of this.#records.values()) {
      if (record.seen?.instance === instance) record.troubleSinceMs ??= nowMs();
    }
  }

  #noteWish(event: Exclude<EngineEvent, { kind: "changed" | "suspected" }>): void {
    const before = this.#memory.wishes[event.instance];
    const wish = wishAfter(before, event, nowMs());
    if (wish === before) return;
    if (wish === undefined) delete this.#memory.wishes[event.instance];
    else this.#memory.wishes[event.instance] = wish;
    this.#log.info({ instance: event.instance, was: before?.kind ?? "none", now: wish?.kind ?? "none" }, "wish");
  }

  /** Counts a new filling, and keeps the ports it told: a busy member's first log line may be rotated away one day. */
  #noteFilling(slot: string, found: Found): Found {
    const { instance, life, ports } = found;
    if (life.kind !== "running") return found;
    const before = this.#memory.fillings[slot];
    const same = before?.instance === instance && before.sinceMs === life.sinceMs;
    const told = ports ?? (same ? before.ports : undefined);
    const generation = (before?.generation ?? 0) + (same ? 0 : 1);
    this.#memory.fillings[slot] = { instance, sinceMs: life.sinceMs, generation, ...(told && { ports: told }) };
    return told === undefined ? found : { ...found, ports: told as Ports };
  }

  #wishOf(slot: string, found: Found | undefined): Wish | undefined {
    const last = this.#memory.fillings[slot]?.instance;
    const instance = found === undefined || found.life.kind === "aside" ? last : found.instance;
    if (instance === undefined) return undefined;
    const wish = this.#memory.wishes[instance];
    if (found?.life.kind !== "running" || wish === undefined) return wish;
    const left = wishOfRunning(wish, found.life.sinceMs, nowMs());
    if (left === undefined) delete this.#memory.wishes[instance];
    return left;
  }

  /** A wish matters only as long as its member is there, or was the last to have filled its slot. */
  #forget(found: readonly Found[]): void {
    const last = Object.values(this.#memory.fillings).map(({ instance }) => instance);
    const known = new Set([...last, ...found.flatMap(({ instance, succeeds }) => [instance, succeeds])]);
    for (const instance of Object.keys(this.#memory.wishes)) {
      if (!known.has(instance)) delete this.#memory.wishes[instance];
    }
  }

  #record(slot: string): SlotRecord {
    const known = this.#records.get(slot);
    if (known !== undefined) return known;
    const made: SlotRecord = { seen: undefined, pulse: noPulse, troubleSinceMs: undefined, ordered: false };
    this.#records.set(slot, made);
    return made;
  }

  async #write(): Promise<void> {
    const text = JSON.stringify(this.#memory);
    if (text === this.#written) return;
    await remember(this.#file, this.#memory);
    this.#written = text;
  }

  get #file(): string {
    return memoryFile(this.#settings.REGISTRY_FILE);
  }
}
