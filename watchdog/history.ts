// What a round knows of each slot: what the engine lists now, one probe of each member, and what is remembered of before.
// The rules are elsewhere (intent.ts, restart.ts, plan.ts); this gathers their arguments and keeps them across rounds.

import type { Settings } from "../services/config.ts";
import type { Log } from "../services/log.ts";
import { type ProbeResult, probe } from "../services/tier/probe.ts";
import type { Engine, Found, Ports, Slot } from "./engine.ts";
import { type EngineEvent, type Wish, wishAfter, wishOfRunning } from "./intent.ts";
import { type Memory, memoryFile, nothing, recall, remember } from "./memory.ts";
import type { Situation } from "./plan.ts";
import { healed, type RestartRecord, served, unblemished } from "./restart.ts";

interface SlotRecord {
  /** The member that fills the slot, and when this watchdog first saw it. Undefined: it never saw one. */
  seen: { readonly instance: string; readonly sinceMs: number } | undefined;
  restart: RestartRecord;
  missed: number;
  /** When the member began to pass its probes without a miss. */
  servingSinceMs: number | undefined;
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
  }

  async close(): Promise<void> {
    await this.#write();
  }

  event(event: EngineEvent): void {
    if (event.kind === "changed") return;
    const before = this.#memory.wishes[event.instance];
    const wish = wishAfter(before, event, Date.now());
    if (wish === before) return;
    if (wish === undefined) delete this.#memory.wishes[event.instance];
    else this.#memory.wishes[event.instance] = wish;
    this.#log.info({ instance: event.instance, was: before?.kind ?? "none", now: wish?.kind ?? "none" }, "wish");
  }

  healBegun(slot: string): void {
    const record = this.#record(slot);
    // The first filling that this watchdog makes is a start, not a heal.
    if (record.seen !== undefined) record.restart = healed(record.restart, Date.now(), Math.random());
    record.missed = 0;
    record.servingSinceMs = undefined;
  }

  /** Looks at every slot once. @param healing is a heal of the slot under way? */
  async observe(engine: Engine, healing: (slot: string) => boolean): Promise<Situation[]> {
    const [slots, found] = await Promise.all([engine.slots(), engine.list()]);
    const bySlot = new Map(found.map((member) => [member.slot, member]));
    const situations = await Promise.all(
      slots.map((slot) => this.#situation(slot, bySlot.get(slot.id), healing(slot.id))),
    );
    this.#forget(new Set(Object.values(this.#memory.fillings).map(({ instance }) => instance)));
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
    if (found !== undefined && record.seen?.instance !== found.instance) {
      record.seen = { instance: found.instance, sinceMs: Date.now() };
    }
    const probed = await this.#probe(found);
    this.#notePulse(record, probed);
    const wish = this.#wishOf(slot.id, found);
    const { restart, missed } = record;
    return {
      slot,
      seenSinceMs: record.seen?.sinceMs ?? 0,
      missed,
      restart,
      healing,
      ...(found === undefined ? {} : { found }),
      ...(wish === undefined ? {} : { wish }),
      ...(probed === undefined ? {} : { probed }),
    };
  }

  async #probe(found: Found | undefined): Promise<ProbeResult | undefined> {
    if (found?.life.kind !== "running" || found.host === undefined || found.ports === undefined) return undefined;
    const { port, adminPort } = found.ports;
    return probe({ host: found.host, port: port ?? adminPort, adminPort }, "/readyz", this.#settings.PROBE_TIMEOUT_MS);
  }

  #notePulse(record: SlotRecord, probed: ProbeResult | undefined): void {
    record.missed = probed?.kind === "silent" ? record.missed + 1 : 0;
    if (probed?.kind !== "passed") record.servingSinceMs = undefined;
    else record.servingSinceMs ??= Date.now();
    if (record.servingSinceMs !== undefined)
      record.restart = served(record.restart, Date.now() - record.servingSinceMs);
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
    const instance = found?.instance ?? this.#memory.fillings[slot]?.instance;
    const wish = instance === undefined ? undefined : this.#memory.wishes[instance];
    return found?.life.kind === "running" ? wishOfRunning(wish, Date.now()) : wish;
  }

  /** A wish matters only as long as its member is the last to have filled its slot. */
  #forget(instances: ReadonlySet<string>): void {
    for (const instance of Object.keys(this.#memory.wishes)) {
      if (!instances.has(instance)) delete this.#memory.wishes[instance];
    }
  }

  #record(slot: string): SlotRecord {
    const known = this.#records.get(slot);
    if (known !== undefined) return known;
    const made: SlotRecord = { seen: undefined, restart: unblemished, missed: 0, servingSinceMs: undefined };
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
