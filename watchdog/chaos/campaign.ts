// Does faults to members, one after another at a steady pace, and waits for each to recover. Several may be under way at a
// time; schedule.ts says which are allowed. Whatever it stopped or paused is good again when it is over, however it ends.

import { setTimeout as delay } from "node:timers/promises";
import type { Fault, Faults } from "./faults.ts";
import type { FaultRecord, Recovery } from "./report.ts";
import { type Choice, nextFault, type Rules } from "./schedule.ts";
import type { SlotRow, Slots } from "./slots.ts";

/** How long a member stays stopped or paused. */
const HELD_MS = 3_000;
/** A slot in quarantine is tried once a minute; one that is not back after that is lost. */
const RECOVERS_WITHIN_MS = 90_000;
const UNDO_TRIES = 5;
const UNDO_AGAIN_MS = 1_000;

export interface Terms {
  readonly rules: Rules;
  readonly random: () => number;
  readonly everyMs: number;
  readonly durationMs: number;
  /** Ends it early: what is stopped or paused is made good at once, and no recovery is waited for. */
  readonly stop: AbortSignal;
}

export interface Surroundings {
  readonly faults: Faults;
  readonly slots: Slots;
  /** When the load's latest failure came, on performance's clock. */
  readonly lastFailureMs: () => number | undefined;
  readonly onRecord: (record: FaultRecord) => void;
}

export interface Suffered {
  readonly records: readonly FaultRecord[];
  /** Times at which no fault was possible: everything that could be spared was suffering already. */
  readonly passedOver: number;
}

export class Campaign {
  readonly #terms: Terms;
  readonly #around: Surroundings;
  readonly #suffering = new Set<string>();
  readonly #records: FaultRecord[] = [];

  constructor(terms: Terms, around: Surroundings) {
    this.#terms = terms;
    this.#around = around;
  }

  async run(): Promise<Suffered> {
    const { everyMs, durationMs, stop, random, rules } = this.#terms;
    const underWay = new Set<Promise<void>>();
    const startedMs = performance.now();
    let passedOver = 0;
    for (let dueMs = everyMs; dueMs <= durationMs && !stop.aborted; dueMs += everyMs) {
      await delay(startedMs + dueMs - performance.now(), undefined, { signal: stop }).catch(() => {});
      if (stop.aborted) break;
      const choice = nextFault(random, this.#around.slots.rows.map(candidateOf), this.#suffering, rules);
      if (choice === undefined) passedOver += 1;
      else {
        const suffered = this.#suffer(choice).finally(() => underWay.delete(suffered));
        underWay.add(suffered);
      }
    }
    await Promise.all(underWay);
    return { records: this.#records, passedOver };
  }

  async #suffer(choice: Choice): Promise<void> {
    this.#suffering.add(choice.slot);
    const at = new Date().toISOString();
    const actedMs = performance.now();
    const recovery = await this.#recovery(choice);
    const failedMs = this.#around.lastFailureMs() ?? 0;
    const failing = failedMs > actedMs ? { failedForMs: Math.round(failedMs - actedMs) } : {};
    const record = { at, ...choice, recovery, ...failing };
    this.#records.push(record);
    this.#suffering.delete(choice.slot);
    this.#around.onRecord(record);
  }

  async #recovery({ kind, slot }: Choice): Promise<Recovery> {
    const { faults, slots } = this.#around;
    const before = slots.row(slot)?.generation ?? 0;
    const done = await this.#do(faults.prepare(kind, slot));
    if (typeof done !== "number") return done;
    const anew = (row: SlotRow) => row.state === "serving" && (row.generation ?? 0) > before;
    const again = (row: SlotRow) => row.state === "serving" && row.life === "running";
    const wait = { is: kind === "pause" ? again : anew, limitMs: RECOVERS_WITHIN_MS, stop: this.#terms.stop };
    const servesMs = await slots.shows(slot, wait);
    if (servesMs !== undefined) return { kind: "recovered", ms: Math.round(servesMs - done) };
    return this.#terms.stop.aborted ? { kind: "not-awaited" } : { kind: "lost", afterMs: RECOVERS_WITHIN_MS };
  }

  /** @returns since when it may recover; or why it was not done: an engine that refuses, a member that went by itself */
  async #do(prepared: Promise<Fault>): Promise<number | Recovery> {
    let fault: Fault | undefined;
    let fromMs = 0;
    let failure: string | undefined;
    try {
      fault = await prepared;
      fromMs = performance.now();
      await fault.inflict();
      if (fault.undo !== undefined) await delay(HELD_MS, undefined, { signal: this.#terms.stop }).catch(() => {});
    } catch (error) {
      failure = (error as Error).message;
    }
    if (fault?.undo !== undefined) {
      fromMs = performance.now();
      // Also after a call that failed: the engine may have done it all the same.
      const left = await persist(fault.undo);
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
      if (tried === UNDO_TRIES) return (error as Error).message;
      await delay(UNDO_AGAIN_MS);
    }
  }
}
