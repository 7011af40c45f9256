// Pure. The services that are settled: all replicas of one are of one making, and have served for a while. What they are made from then
// is a version that works, to which a later one may be rolled back.

import { serviceOf } from "../desired/slot.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { judged, type RollLimits } from "./roll.ts";

export interface Settled {
  /** One of its slots. */
  readonly slot: string;
  readonly making: string;
}

export interface SettlingNow {
  /** The services that are being rolled or scaled. */
  readonly changing: ReadonlySet<string>;
  readonly limits: RollLimits;
  readonly nowMs: number;
}

export function settledServices(states: readonly SlotState[], { changing, limits, nowMs }: SettlingNow): Settled[] {
  const replicas = states.filter(isReplica);
  const services = new Set(replicas.map(({ slot }) => serviceOf(slot)));
  return [...services].flatMap((service) => {
    const own = replicas.filter(({ slot }) => serviceOf(slot) === service);
    const [first] = own;
    const making = first?.found?.making;
    if (first === undefined || making === undefined || changing.has(service)) return [];
    const isWell = (state: SlotState) =>
      state.found?.making === making && !state.healing && judged(state, limits, nowMs).kind === "well";
    return own.every(isWell) ? [{ slot: first.slot.id, making }] : [];
  });
}

/** A program of ours that is told who it is has no number, and is never rolled. What was only made is a sample of what is to come. */
function isReplica({ slot, found }: SlotState): boolean {
  return slot.service !== undefined && slot.id !== slot.service && found?.life.kind !== "created";
}
