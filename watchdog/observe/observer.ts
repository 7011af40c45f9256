// What a round knows of each slot: what the engine lists now, its life signs, and what is remembered of before.
// The rules are elsewhere (intent.ts, restart.ts, plan.ts); this gathers their arguments and keeps them across rounds and lives.

import { nowMs } from "../../services/runtime/clock.ts";
import type { Settings } from "../../services/runtime/config.ts";
import type { Log } from "../../services/runtime/log.ts";
import type { Discovery, EngineEvent, Found, Slot } from "../engines/discovery.ts";
import { healed, recalled, served, unblemished } from "../rules/restart-policy.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { intentAfter, intentOfRunning, type StopIntent } from "../rules/stop-intent.ts";
import { Prober } from "./prober.ts";
import { type Memory, memoryFile, nothing, recall, remember } from "./state-file.ts";

export class History {
  readonly #file: string;
  readonly #log: Log;
  readonly #prober: Prober;
  /** Slots that an operator wants filled anew. */
  readonly #ordered = new Set<string>();
  /** Slots that this watchdog has begun to fill. */
  readonly #begun = new Set<string>();
  /** By slot: heals in a row that met a taken port. The next watchdog finds out again. */
  readonly #portsTaken = new Map<string, number>();
  /** Instances that were started since the round began to look: what it is told of them may be of before. */
  readonly #startedSince = new Set<string>();
  #memory: Memory = structuredClone(nothing);
  #written = "";

  /** @param onNews called when a probe that no round waited for has something to say */
  constructor(settings: Settings, log: Log, onNews: () => void) {
    this.#file = memoryFile(settings.REGISTRY_FILE);
    this.#log = log;
    this.#prober = new Prober(settings, onNews);
  }

  async open(): Promise<void> {
    this.#memory = await recall(this.#file);
    for (const [slot, record] of Object.entries(this.#memory.restarts)) {
      this.#memory.restarts[slot] = recalled(record, nowMs());
    }
  }

  /** Was there a watchdog before this one? */
  get remembers(): boolean {
    return Object.keys(this.#memory.fillings).length > 0;
  }

  /** @param self the watchdog's own instance: it ends because somebody wishes it, and no other is to bring it back for that */
  async close(self: string | undefined): Promise<void> {
    if (self !== undefined) this.#memory.intents[self] = { kind: "stopped", atMs: nowMs(), engineMs: Date.now() };
    await this.save();
  }

  /** Writes what is new of what is remembered. */
  async save(): Promise<void> {
    const text = JSON.stringify(this.#memory);
    if (text === this.#written) return;
    await remember(this.#file, this.#memory);
    this.#written = text;
  }

  event(event: EngineEvent): void {
    if (event.kind === "suspected") this.#prober.suspect(event.slot);
    if (event.kind === "died") this.#prober.died(event.instance);
    if (event.kind === "started") this.#startedSince.add(event.instance);
    if ("instance" in event) this.#noteWish(event);
  }

  /** The watchdog keeps its hands off the slot, until `release`. */
  hold(slot: string): void {
    this.#memory.holds[slot] ??= { sinceMs: nowMs() };
    this.#ordered.delete(slot);
  }

  release(slot: string): void {
    delete this.#memory.holds[slot];
  }

  /** The next round puts a new member into the slot, whatever its past. */
  order(slot: string): void {
    this.#ordered.add(slot);
  }

  /** A heal came to nothing because a port is somebody else's. */
  portTaken(slot: string): void {
    this.#portsTaken.set(slot, (this.#portsTaken.get(slot) ?? 0) + 1);
  }

  /** Would this be the first filling of a slot that this watchdog never saw filled? */
  isFirst(slot: string): boolean {
    return this.#prober.livenessOf(slot).seen === undefined && !this.#begun.has(slot);
  }

  healBegun(slot: string): void {
    const { servedMs } = this.#prober.livenessOf(slot);
    // A first filling is a start, not a failure; neither is what was ordered.
    if (!this.isFirst(slot) && !this.#ordered.has(slot)) {
      const moment = { nowMs: nowMs(), servedMs, random: Math.random() };
      this.#memory.restarts[slot] = healed(this.#memory.restarts[slot] ?? unblemished, moment);
    }
    this.#begun.add(slot);
    this.#ordered.delete(slot);
    this.#prober.healBegun(slot);
  }

  /** When the trouble that the slot is in was first seen; undefined: it is in none. */
  troubleSinceMs(slot: string): number | undefined {
    return this.#prober.livenessOf(slot).troubleSinceMs;
  }

  /** Looks at every slot once. @param busy the slots of which a step is being carried out */
  async observe(discovery: Discovery, busy: () => ReadonlySet<string>): Promise<SlotState[]> {
    // A step that ends while we look has changed what we are about to be told.
    const before = busy();
    this.#startedSince.clear();
    const [slots, listed] = await Promise.all([discovery.slots(), discovery.list()]);
    const found = listed.map((member) => this.#noteFilling(member));
    await this.#prober.probe(found);
    const bySlot = new Map(found.map((member) => [member.slot, member]));
    const now = busy();
    this.#forget(found);
    return slots.map((slot) => {
      const member = bySlot.get(slot.id);
      const isBusy = before.has(slot.id) || now.has(slot.id) || this.#isOutdated(member);
      return this.#slotState(slot, member, isBusy);
    });
  }

  #isOutdated(member: Found | undefined): boolean {
    return member !== undefined && member.life.kind !== "running" && this.#startedSince.has(member.instance);
  }

  /** How many times each slot has been filled. */
  generations(): ReadonlyMap<string, number> {
    return new Map(Object.entries(this.#memory.fillings).map(([slot, { generation }]) => [slot, generation]));
  }

  #slotState(slot: Slot, found: Found | undefined, healing: boolean): SlotState {
    const { seen, probed, missed, missedSinceMs, suspected } = this.#prober.livenessOf(slot.id);
    const intent = this.#wishOf(slot.id, found);
    const held = this.#memory.holds[slot.id];
    if (probed?.kind === "passed") this.#portsTaken.delete(slot.id);
    return {
      slot,
      seenSinceMs: seen?.sinceMs ?? 0,
      missed,
      suspected,
      restart: this.#restartOf(slot.id),
      portsTaken: this.#portsTaken.get(slot.id) ?? 0,
      ordered: this.#ordered.has(slot.id),
      healing,
      ...(found === undefined ? {} : { found }),
      ...(intent === undefined ? {} : { intent }),
      ...(probed === undefined ? {} : { probed }),
      ...(missedSinceMs === undefined ? {} : { missedSinceMs }),
      ...(held === undefined ? {} : { held }),
    };
  }

  #restartOf(slot: string) {
    const record = this.#memory.restarts[slot];
    if (record === undefined) return unblemished;
    const { servingSinceMs, servedMs } = this.#prober.livenessOf(slot);
    const now = servingSinceMs === undefined ? record : served(record, servedMs);
    if (now === unblemished) delete this.#memory.restarts[slot];
    return now;
  }

  #noteWish(event: Exclude<EngineEvent, { kind: "changed" | "suspected" }>): void {
    const before = this.#memory.intents[event.instance];
    const intent = intentAfter(before, event, nowMs() - (event.agoMs ?? 0));
    if (intent === before) return;
    if (intent === undefined) delete this.#memory.intents[event.instance];
    else this.#memory.intents[event.instance] = intent;
    this.#log("stop-intent", { instance: event.instance, was: before?.kind ?? "none", now: intent?.kind ?? "none" });
  }

  /** Counts a new filling, and keeps the ports it told: a busy member's first log line may be rotated away one day. */
  #noteFilling(found: Found): Found {
    const { slot, instance, life, ports } = found;
    if (life.kind !== "running") return found;
    const before = this.#memory.fillings[slot];
    const same = before?.instance === instance && before.sinceMs === life.sinceMs;
    const told = ports ?? (same ? before.ports : undefined);
    const generation = (before?.generation ?? 0) + (same ? 0 : 1);
    this.#memory.fillings[slot] = { instance, sinceMs: life.sinceMs, generation, ...(told && { ports: told }) };
    return told === undefined ? found : { ...found, ports: told as NonNullable<Found["ports"]> };
  }

  #wishOf(slot: string, found: Found | undefined): StopIntent | undefined {
    const last = this.#memory.fillings[slot]?.instance;
    const instance = found === undefined || found.life.kind === "previous" ? last : found.instance;
    if (instance === undefined) return undefined;
    const intent = this.#memory.intents[instance];
    if (found?.life.kind !== "running" || intent === undefined) return intent;
    const left = intentOfRunning(intent, found.life.sinceMs, nowMs());
    if (left === undefined) delete this.#memory.intents[instance];
    return left;
  }

  /** A wish matters only as long as its member is there, or was the last to have filled its slot. */
  #forget(found: readonly Found[]): void {
    const last = Object.values(this.#memory.fillings).map(({ instance }) => instance);
    const known = new Set([...last, ...found.flatMap(({ instance, succeeds }) => [instance, succeeds])]);
    for (const instance of Object.keys(this.#memory.intents)) {
      if (!known.has(instance)) delete this.#memory.intents[instance];
    }
  }
}
