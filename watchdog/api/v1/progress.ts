// Pure. How an order goes, from what the watchdog shows of heals, rolls and scales.

import type { IncidentSummary } from "../../incidents/incident.ts";
import type { RollRow, ScaleRow } from "../schema.ts";
import type { OrderStatus } from "./contract/documents.ts";
import type { OrderProgress } from "./order-book.ts";

const ROLLS: Readonly<Record<RollRow["phase"], OrderStatus>> = {
  rolling: "under-way",
  "rolling-back": "under-way",
  done: "done",
  failed: "failed",
  "rolled-back": "undone",
  paused: "failed",
};

const SCALES: Readonly<Record<ScaleRow["phase"], OrderStatus>> = {
  scaling: "under-way",
  undoing: "under-way",
  done: "done",
  undone: "undone",
};

const OVER: OrderProgress = { status: "failed", text: "nothing is known of it any more" };

export interface HealSeen {
  /** The newest first. */
  readonly incidents: readonly IncidentSummary[];
  /** The latest incident when it was ordered; 0: none. */
  readonly since: number;
  /** Is there such a slot? */
  readonly isThere: boolean;
}

export function healProgress(slot: string, { incidents, since, isThere }: HealSeen): OrderProgress {
  const own = incidents.findLast((incident) => incident.slot === slot && incident.number > since);
  if (own === undefined)
    return isThere
      ? { status: "accepted", text: "it was taken" }
      : { status: "failed", text: `there is no ${slot} any more` };
  const { number: incident, outcome, failure } = own;
  switch (outcome) {
    case "under-way":
      return { status: "under-way", text: `${slot} is being replaced`, incident };
    case "healed":
      return { status: "done", text: `${slot} was replaced and is in traffic`, incident };
    case "failed":
      return { status: "failed", text: failure ?? "it failed", incident };
    default:
      return outcome satisfies never;
  }
}

/** @param row of its service; undefined: there is none any more */
export function rollProgress(row: RollRow | undefined): OrderProgress {
  if (row === undefined) return OVER;
  const { phase, rolled, of, reason, paused } = row;
  return { status: ROLLS[phase], text: said([`${rolled} of ${of} are new`, paused && "it stands still", reason]) };
}

export function scaleProgress(row: ScaleRow | undefined): OrderProgress {
  if (row === undefined) return OVER;
  const { phase, from, to, slots, reason, paused } = row;
  const done = slots.filter((slot) => slot.done).length;
  const count = `${from} to ${to}: ${done} of ${slots.length} ${to > from ? "serve" : "are gone"}`;
  return { status: SCALES[phase], text: said([count, paused && "it stands still", reason]) };
}

const said = (parts: readonly (string | false | null)[]) => parts.filter(Boolean).join("; ");
