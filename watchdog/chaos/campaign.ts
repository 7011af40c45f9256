// Injects faults into members, one after another at a steady pace, and waits for each to recover. Several may be under way at a
// time; schedule.ts says which are allowed. Whatever it stopped or paused is reverted when it is over, however it ends.

import { setTimeout as delay } from "node:timers/promises";
import type { SlotRow } from "../api/schema.ts";
import type { FaultInjector, InjectedFault } from "./injected-fault.ts";
import type { FaultRecord, Recovery } from "./report.ts";
import { type ChosenFault, type FaultScope, nextFault } from "./schedule.ts";
import type { Slots } from "./slots.ts";

/** How long a member stays stopped or paused. */
const HELD_MS = 3_000;
/** A slot in quarantine is tried once a minute; one that is not back after that is lost. */
const RECOVERS_WITHIN_MS = 90_000;
const REVERT_TRIES = 5;
const REVERT_AGAIN_MS = 1_000;

export interface CampaignPlan {
  readonly scope: FaultScope;
  readonly random: () => number;
  readonly everyMs: number;
  readonly durationMs: number;
  /** Ends it early: what is stopped or paused is reverted at once, and no recovery is waited for. */
  readonly stop: AbortSignal;
}

/** What a campaign works on. */
export interface CampaignParts {
  readonly injector: FaultInjector;
  readonly slots: Slots;
  /** When the load's latest failure came, on performance's clock. */
  readonly lastFailureMs: () => number | undefined;
  readonly onRecord: (record: FaultRecord) => void;
}

export interface CampaignResult {
  readonly records: readonly FaultRecord[];
  /** Times at which no fault was possible: everything that could be spared had one already. */
  readonly passedOver: number;
}

export class Campaign {
  readonly #plan: CampaignPlan;
  readonly #parts: CampaignParts;
  /** Slots with a fault that they have not recovered from. */
  readonly #recovering = new Set<string>();
  readonly #records: FaultRecord[] = [];

  constructor(plan: CampaignPlan, parts: CampaignParts) {
    this.#plan = plan;
    this.#parts = parts;
  }

  async run(): Promise<CampaignResult> {
    const { everyMs, durationMs, stop, random, scope } = this.#plan;
    const underWay = new Set<Promise<void>>();
    const startedMs = performance.now();
    let passedOver = 0;
    for (let dueMs = everyMs; dueMs <= durationMs && !stop.aborted; dueMs += everyMs) {
      await delay(startedMs + dueMs - performance.now(), undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) break;
      const chosen = nextFault(random, this.#parts.slots.rows.map(candidateOf), this.#recovering, scope);
      if (chosen === undefined) passedOver += 1;
      else {
        const over = this.#carryOut(chosen).finally(() => underWay.delete(over));
        underWay.add(over);
      }
    }
    await Promise.all(underWay);
    return { records: this.#records, passedOver };
  }

  async #carryOut(chosen: ChosenFault): Promise<void> {
    this.#recovering.add(chosen.slot);
    const at = new Date().toISOString();
    const actedMs = performance.now();
    const recovery = await this.#recovery(chosen);
    const failedMs = this.#parts.lastFailureMs() ?? 0;
    const failing = failedMs > actedMs ? { failedForMs: Math.round(failedMs - actedMs) } : {};
    const record = { at, ...chosen, recovery, ...failing };
    this.#records.push(record);
    this.#recovering.delete(chosen.slot);
    this.#parts.onRecord(record);
  }

  async #recovery({ kind, slot }: ChosenFault): Promise<Recovery> {
    const { injector, slots } = this.#parts;
    const before = slots.row(slot)?.generation ?? 0;
    const injected = await this.#inject(injector.prepare(kind, slot));
    if (typeof injected !== "number") return injected;
    const anew = (row: SlotRow) => row.state === "serving" && (row.generation ?? 0) > before;
    const again = (row: SlotRow) => row.state === "serving" && row.life === "running";
    const wait = { is: kind === "pause" ? again : anew, limitMs: RECOVERS_WITHIN_MS, stop: this.#plan.stop };
    const servesMs = await slots.shows(slot, wait);
    if (servesMs !== undefined) return { kind: "recovered", ms: Math.round(servesMs - injected) };
    return this.#plan.stop.aborted ? { kind: "not-awaited" } : { kind: "lost", afterMs: RECOVERS_WITHIN_MS };
  }

  /** @returns since when it may recover; or why there was no fault: an engine that refuses, a member that went by itself */
  async #inject(prepared: Promise<InjectedFault>): Promise<number | Recovery> {
    let fault: InjectedFault | undefined;
    let fromMs = 0;
    let failure: string | undefined;
    try {
      fault = await prepared;
      fromMs = performance.now();
      await fault.inject();
      if (fault.revert !== undefined) await delay(HELD_MS, undefined, { signal: this.#plan.stop }).catch(() => {});
    } catch (error) {
      failure = (error as Error).message;
    }
    if (fault?.revert !== undefined) {
      fromMs = performance.now();
      // Also after a call that failed: the engine may have carried it out all the same.
      const left = await persist(fault.revert);
      if (left !== undefined) return { kind: "left", reason: left };
    }
    return failure === undefined ? fromMs : { kind: "not-done", reason: failure };
  }
}

const candidateOf = ({ slot, role, group, state }: SlotRow) => ({ slot, role, group, serves: state === "serving" });

/** @returns undefined when it succeeded in the end, else why it did not */
async function persist(act: () => Promise<void>): Promise<string | undefined> {
  for (let tried = 1; ; tried += 1) {
    try {
      await act();
      return undefined;
    } catch (error) {
      if (tried === REVERT_TRIES) return (error as Error).message;
      await delay(REVERT_AGAIN_MS);
    }
  }
}
