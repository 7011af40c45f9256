// Which replicas of rolls and scales cannot be made, and why, until whoever ordered them has seen it. What a roll replaces is tried some
// times: one failure may pass by itself. That we may not lead any more says nothing about a replica.

import { NOT_LEADING } from "../engines/runner.ts";
import type { HealOutcome } from "./replace.ts";

const TRIES_MAX = 3;

/** By slot: why. */
export class NotMade extends Map<string, string> {
  /** By slot: tries in a row that came to nothing. */
  readonly #tries = new Map<string, number>();

  replaced(slot: string, outcome: HealOutcome): void {
    if (outcome.kind === "started") this.#tries.delete(slot);
    if (outcome.kind !== "failed" || outcome.reason === NOT_LEADING) return;
    const tries = (this.#tries.get(slot) ?? 0) + 1;
    this.#tries.set(slot, tries % TRIES_MAX);
    if (tries === TRIES_MAX) this.set(slot, outcome.reason);
  }

  added(slot: string, failure: string | undefined): void {
    if (failure !== undefined && failure !== NOT_LEADING) this.set(slot, failure);
  }
}
