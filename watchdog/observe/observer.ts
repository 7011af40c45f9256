// Looks at every slot once a round, and makes its slot state: what the engine lists, what the probes say, what is remembered and
// what an operator wants. It decides nothing, and changes nothing in the engine.

import { nowMs } from "../../services/runtime/clock.ts";
import type { Settings } from "../../services/runtime/config.ts";
import type { Log } from "../../services/runtime/log.ts";
import { type Slot, serviceOf } from "../desired/slot.ts";
import type { Discovery, EngineEvent, Found } from "../engines/discovery.ts";
import { mayForward } from "../rules/member-reports.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { Fillings } from "./fillings.ts";
import { HealRecords } from "./heal-records.ts";
import type { OperatorOrders } from "./operator-orders.ts";
import { Prober } from "./prober.ts";
import type { StateFile } from "./state-file.ts";
import { StopIntents } from "./stop-intents.ts";

export interface ObserverParts {
  readonly discovery: Pick<Discovery, "self" | "slots" | "list" | "slotsPass" | "removedByUs">;
  readonly settings: Settings;
  readonly log: Log;
  readonly stateFile: StateFile;
  readonly orders: OperatorOrders;
  /** Called when a probe that no round waited for has something to say. */
  readonly onNews: () => void;
}

export class Observer {
  readonly #discovery: ObserverParts["discovery"];
  readonly #orders: OperatorOrders;
  readonly #prober: Prober;
  readonly #intents: StopIntents;
  readonly #fillings: Fillings;
  readonly #records: HealRecords;
  /** Those there are, as of the latest look. */
  #slots: ReadonlyMap<string, Slot> = new Map();
  /** Slots that this watchdog has begun to fill. */
  readonly #begun = new Set<string>();
  /** By slot: its last removal, and the heal that was begun last. */
  readonly #emptied = new Map<string, { readonly instance: string; readonly engineMs: number }>();
  readonly #healedMs = new Map<string, number>();
  /** Instances that were started since the round began to look: what it is told of them may be of before. */
  readonly #startedSince = new Set<string>();

  constructor({ discovery, settings, log, stateFile, orders, onNews }: ObserverParts) {
    this.#discovery = discovery;
    this.#orders = orders;
    this.#prober = new Prober(settings, onNews);
    this.#intents = new StopIntents(stateFile, log);
    this.#fillings = new Fillings(stateFile);
    this.#records = new HealRecords(stateFile);
  }

  /** Once the state file is read. */
  open(): void {
    this.#records.open();
    this.#intents.open();
  }

  /** Was there a watchdog before this one? */
  get remembers(): boolean {
    return this.#fillings.any;
  }

  /** How many times each slot has been filled. */
  generations(): ReadonlyMap<string, number> {
    return this.#fillings.generations();
  }

  /** @returns is there anything new to look at? */
  event(event: EngineEvent): boolean {
    if (event.kind === "suspected") return this.#suspect(event);
    if (event.kind === "died") this.#prober.died(event.instance);
    if (event.kind === "started") this.#startedSince.add(event.instance);
    if (event.kind === "removed") this.#emptied.set(event.slot, event);
    if ("instance" in event) this.#intents.event(event);
    return true;
  }

  #suspect({ slot, by }: EngineEvent & { kind: "suspected" }): boolean {
    const [tier, suspected] = [this.#slots.get(by), this.#slots.get(slot)];
    if (tier === undefined || suspected === undefined || !mayForward(tier, suspected, this.#slots.values()))
      return false;
    return this.#prober.suspect(slot);
  }

  /** Looks at every slot once. @param busy the slots of which a step is being carried out */
  async observe(busy: () => ReadonlySet<string>): Promise<SlotState[]> {
    // A step that ends while we look has changed what we are about to be told.
    const before = busy();
    this.#startedSince.clear();
    const listed = await this.#discovery.list();
    // Also those that the list has shown for the first time.
    const slots = await this.#discovery.slots();
    this.#slots = new Map(slots.map((slot) => [slot.id, slot]));
    if (this.#discovery.slotsPass) this.#forgetPassed();
    const found = listed.map((member) => this.#fillings.note(member));
    await this.#prober.probe(found);
    const bySlot = new Map(found.map((member) => [member.slot, member]));
    const now = busy();
    this.#intents.forget(found);
    return slots.map((slot) => {
      const member = bySlot.get(slot.id);
      const isBusy = before.has(slot.id) || now.has(slot.id) || this.#isOutdated(member);
      return this.#slotState(slot, member, isBusy);
    });
  }

  /**
   * The same states, with the stop intents of now. Whoever has just been asked to stop may be about to be made anew: the next look at
   * the engine tells.
   */
  withIntents(slotStates: readonly SlotState[]): SlotState[] {
    return slotStates.map(({ intent: before, found, ...slotState }) => {
      const intent = this.#intents.of(slotState.slot.id, found);
      const isNews = before === undefined && intent?.kind === "asked" && intent.toStop;
      return {
        ...slotState,
        ...(found && { found: isNews ? { recreated: "under way", ...found } : found }),
        ...(intent && { intent }),
      };
    });
  }

  /** Would this be the first filling of a slot that this watchdog never saw filled? */
  isFirst(slot: string): boolean {
    return this.#prober.livenessOf(slot).seen === undefined && !this.#begun.has(slot);
  }

  /** Since when the trouble that the slot is in could be mended: a hold is nobody's delay. Undefined: it is in none. */
  troubleSinceMs(slot: string): number | undefined {
    const { troubleSinceMs } = this.#prober.livenessOf(slot);
    const service = serviceOf(this.#slots.get(slot) ?? { id: slot });
    return troubleSinceMs && Math.max(troubleSinceMs, this.#orders.releasedMs(slot, service));
  }

  /** @param rolled is it no failure, but a step of a roll? */
  healBegun(slot: string, rolled: boolean): void {
    // A first filling is a start, not a failure; neither is what was ordered.
    const isFailure = !rolled && !this.isFirst(slot) && !this.#orders.ordersHeal(slot);
    if (isFailure) this.#records.begun(slot, this.#prober.livenessOf(slot).servedMs);
    this.#begun.add(slot);
    this.#healedMs.set(slot, nowMs());
    this.#orders.carriedOut(slot);
    this.#prober.healBegun(slot);
  }

  /** @throws when somebody has begun to stop replicas of its service since its heal began: then it may be to go as well */
  assertMeant({ id, service }: Slot): void {
    const replicas = [...this.#slots.values()].filter((other) => other.service === service && other.id !== service);
    const begunMs = this.#healedMs.get(id) ?? 0;
    if (replicas.some((replica) => this.#intents.sinceMs(replica.id) >= begunMs))
      throw new Error(`somebody stops replicas of ${service}, and this one may be to go too: it is looked at again`);
  }

  /** A heal came to nothing because a port is somebody else's. */
  portTaken(slot: string): void {
    this.#records.portTaken(slot);
  }

  /** The slot is nobody's any more. */
  forgotten(slot: string): void {
    this.#emptied.delete(slot);
    this.#healedMs.delete(slot);
    this.#orders.forget(slot);
  }

  /** The watchdog was told to stop. */
  close(): void {
    if (this.#discovery.self !== undefined) this.#intents.stopped(this.#discovery.self);
  }

  /** Slots that end with their members would be remembered without end. */
  #forgetPassed(): void {
    for (const slot of this.#fillings.slots()) {
      if (this.#slots.has(slot)) continue;
      this.#fillings.forget(slot);
      this.#orders.forget(slot);
    }
    this.#prober.keep(this.#slots);
  }

  #isOutdated(member: Found | undefined): boolean {
    return member !== undefined && member.life.kind !== "running" && this.#startedSince.has(member.instance);
  }

  #slotState(slot: Slot, found: Found | undefined, healing: boolean): SlotState {
    const liveness = this.#prober.livenessOf(slot.id);
    const gated = found?.gated === true && !liveness.admitted && liveness.probed?.kind === "passed";
    const { seen, probed, passed, missed, missedSinceMs, servingSinceMs, troubleSinceMs, suspected } = liveness;
    const intent = this.#intents.of(slot.id, found);
    const pause = this.#orders.pauseOf(serviceOf(slot));
    const held = this.#orders.holdOf(slot.id) ?? (pause && { ...pause, paused: true as const });
    const emptied = this.#emptied.get(slot.id);
    const weight = this.#orders.weightOf(slot.id);
    const probedMs = this.#prober.heardMs(slot.id);
    if (probed?.kind === "passed" && !gated) this.#records.serves(slot.id);
    return {
      slot,
      filledBefore: this.#fillings.has(slot.id),
      seenSinceMs: seen?.sinceMs ?? 0,
      missed,
      answered: !gated && (passed ?? false),
      suspected,
      known: this.#fillings.isKnown(slot.id),
      restart: this.#records.restartOf(slot.id, liveness),
      portsTaken: this.#records.portsTakenOf(slot.id),
      ordered: this.#orders.ordersHeal(slot.id),
      healing,
      ...(found === undefined ? {} : { found }),
      ...(intent === undefined ? {} : { intent }),
      ...(emptied === undefined
        ? {}
        : { emptied: { engineMs: emptied.engineMs, ours: this.#discovery.removedByUs(emptied.instance) } }),
      ...(probed === undefined || gated ? {} : { probed }),
      ...(probed === undefined || probedMs === undefined || gated ? {} : { probedMs }),
      ...(gated && { gated }),
      ...(missedSinceMs === undefined ? {} : { missedSinceMs }),
      ...(servingSinceMs === undefined || gated ? {} : { servesSinceMs: servingSinceMs }),
      ...(troubleSinceMs === undefined ? {} : { troubleSinceMs }),
      ...(held === undefined ? {} : { held }),
      ...(weight === undefined ? {} : { weight }),
    };
  }
}
