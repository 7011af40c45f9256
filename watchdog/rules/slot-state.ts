// Pure. What a round knows of one slot: what the engine lists, what the probes said, what is remembered of before, and what
// people want of it.

import type { ProbeResult } from "../../services/runtime/probe.ts";
import type { Slot } from "../desired/slot.ts";
import type { Found } from "../engines/discovery.ts";
import type { RestartRecord } from "./restart-policy.ts";
import type { StopIntent } from "./stop-intent.ts";

export interface SlotState {
  readonly slot: Slot;
  /** Absent: nothing fills the slot. */
  readonly found?: Found;
  /** Has a member ever run in it, as far as anybody remembers? */
  readonly filledBefore: boolean;
  /** Since when this watchdog has known the member that fills it, in this run of it. */
  readonly seenSinceMs: number;
  /** When the last container of it that was removed went, by the engine's clock; `ours`: a watchdog did that. */
  readonly emptied?: { readonly engineMs: number; readonly ours: boolean };
  /** Was the member that fills the slot, or the last one that did, stopped or asked to stop? */
  readonly intent?: StopIntent;
  /** The latest probe; absent until the member has told its ports. */
  readonly probed?: ProbeResult;
  /** When its last probe was over; absent where `probed` is. */
  readonly probedMs?: number;
  /** It answers, and has yet to pass its own health check for the first time in this run: it gets no traffic before. */
  readonly gated?: true;
  /** Probes without an answer, in a row, and since when. */
  readonly missed: number;
  readonly missedSinceMs?: number;
  /** Since when it has passed every probe; absent: it did not pass the last one. */
  readonly servesSinceMs?: number;
  /** The first sign of the trouble that it is in. */
  readonly troubleSinceMs?: number;
  /** Has the member answered a probe in this run of it? */
  readonly answered: boolean;
  /** Has a tier failed to reach it as well, since it last answered a probe? */
  readonly suspected: boolean;
  /** Has a member of the slot ever said where it listens, and could be reached there? */
  readonly known: boolean;
  readonly restart: RestartRecord;
  /** So many heals in a row came to nothing because a port was somebody else's. */
  readonly portsTaken: number;
  /** An operator keeps the watchdog's hands off the slot; `paused`: off all of its service. */
  readonly held?: { readonly sinceMs: number; readonly paused?: true };
  /** An operator's word on its share; absent: its label's. */
  readonly weight?: number;
  /** An operator asks for a new member. */
  readonly ordered: boolean;
  /** Is a step of it being carried out? */
  readonly healing: boolean;
}

/** Its share of the requests beside the others of its pool. */
export function weightOf({ slot, weight }: SlotState): number | undefined {
  return weight ?? slot.labels?.weight;
}

/** Passed its last probe: it would take traffic. */
export function serves({ found, probed }: SlotState): boolean {
  return found?.life.kind === "running" && probed?.kind === "passed";
}

/** How a slot is, in one word, as metrics have it. */
export const shownStates = ["serving", "starting", "failing", "healing", "stopped", "down", "misconfigured"] as const;

export function shownState(state: SlotState): (typeof shownStates)[number] {
  const { slot, healing, intent, found, answered } = state;
  const runs = found?.life.kind === "running";
  if (slot.faults !== undefined) return "misconfigured";
  if (healing) return "healing";
  if (intent?.kind === "stopped" && !runs) return "stopped";
  if (serves(state)) return "serving";
  if (!runs) return "down";
  return answered ? "failing" : "starting";
}
