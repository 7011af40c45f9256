// Pure. The plan of a round: (slot states, limits, now) -> at most one step a slot, each with its reason. It reads what is, not
// what happened. A slot that needs nothing yields no step, and a step that waits says until when.

import type { Slot } from "../desired/slot.ts";
import type { VersionWanted } from "../engines/runner.ts";
import { blockedBy, type DisruptionBudget } from "./disruption-budget.ts";
import { type Judging, type Need, need, type PlanLimits } from "./need.ts";
import { metTakenPort } from "./port-conflict.ts";
import { type SlotState, serves } from "./slot-state.ts";
import { healingBeside, settlesAtMs, surplusOf } from "./surplus.ts";

export type Step =
  /** Put a successor in the place of whatever fills the slot. */
  | {
      readonly kind: "heal";
      readonly slot: Slot;
      readonly reason: string;
      readonly replaces: string | undefined;
      /** Give what it replaces the time to finish its requests. */
      readonly gently: boolean;
      /** So many tries in a row met a taken port: another one of its range. */
      readonly portMoves: number;
      /** Make it from what fills that slot, in a roll, or from another version of that; absent: from what was here before. */
      readonly from?: string;
      readonly version?: VersionWanted;
    }
  /** Make one more replica, a twin of what fills `from` or of another version of that, and start it. */
  | {
      readonly kind: "add";
      readonly slot: Slot;
      readonly from: string;
      readonly version?: VersionWanted;
      /** It is only to be there. */
      readonly unstarted?: true;
      readonly reason: string;
    }
  /** Start what somebody else has created. */
  | { readonly kind: "start"; readonly slot: Slot; readonly reason: string; readonly instance: string }
  /** Take it out of traffic, then stop, remove and forget it. */
  | { readonly kind: "retire"; readonly slot: Slot; readonly reason: string; readonly instance: string }
  /** The successor does its work: let go of the member before. */
  | { readonly kind: "commit"; readonly slot: Slot; readonly reason: string }
  /** Somebody has taken the slot's member away for good. */
  | { readonly kind: "forget"; readonly slot: Slot; readonly reason: string }
  /** The successor is no good: take it away, and the member before has its place again. */
  | {
      readonly kind: "roll-back";
      readonly slot: Slot;
      readonly reason: string;
      readonly instance: string;
      readonly portTaken: boolean;
    }
  | {
      readonly kind: "wait";
      readonly slot: Slot;
      readonly reason: string;
      readonly untilMs: number;
      /** People have to end the wait: it does not pass by itself. */
      readonly alert: boolean;
    };

export function plan(slotStates: readonly SlotState[], limits: PlanLimits, nowMs: number): Step[] {
  const steps: Step[] = [];
  const surplus = surplusOf(slotStates);
  for (const slotState of slotStates) {
    if (slotState.healing) continue;
    const planning = { slotStates, steps, limits, nowMs };
    const reason = surplus.get(slotState.slot.id);
    const step =
      reason === undefined
        ? stepFor(slotState, need(slotState, limits, nowMs), planning)
        : takenAway(slotState, reason, planning);
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

/** The planning of one round. */
interface Planning extends Judging {
  readonly slotStates: readonly SlotState[];
  readonly steps: readonly Step[];
}

function stepFor(slotState: SlotState, needed: Need, planning: Planning): Step | undefined {
  const { slot, held } = slotState;
  const { nowMs } = planning;
  switch (needed.kind) {
    case "none":
      return undefined;
    case "commit":
      return { slot, ...needed };
    case "forget": {
      const beside = healingBeside(slotState, planning.slotStates);
      return beside === undefined ? { slot, ...needed } : waits(slot, `after ${beside}: ${needed.reason}`, nowMs);
    }
    case "roll-back":
      if (held === undefined) return { slot, ...needed };
      return waits(slot, `${held.paused ? "paused" : "held"}: ${needed.reason}`, nowMs);
    case "unclear":
      return { slot, ...needed, kind: "wait" };
    case "dead":
    case "sick":
      return replacement(slotState, needed, planning);
    default:
      return needed satisfies never;
  }
}

/** The end of one that is too many; one that serves goes only where another one of its service does. */
function takenAway(slotState: SlotState, reason: string, { slotStates, nowMs }: Planning): Step | undefined {
  const { slot, found, held } = slotState;
  if (held !== undefined) return waits(slot, `${held.paused ? "paused" : "held"}: ${reason}`, nowMs);
  if (found === undefined) return { kind: "forget", slot, reason };
  const others = slotStates.filter((other) => other !== slotState && other.slot.service === slot.service);
  if (serves(slotState) && !others.some(serves)) return undefined;
  return { kind: "retire", slot, reason, instance: found.instance };
}

/** Nobody has to look. */
function waits(slot: Slot, reason: string, untilMs: number): Step {
  return { kind: "wait", slot, reason, untilMs, alert: false };
}

/** A heal, or what it waits for. */
function replacement(
  slotState: SlotState,
  { kind, reason }: Need & { kind: "dead" | "sick" },
  planning: Planning,
): Step {
  const { slot, found, ordered, portsTaken } = slotState;
  const { nowMs } = planning;
  const blocker = kind === "sick" && !ordered ? blockedBy(slotState, budgetOf(planning)) : undefined;
  const settlesMs = settlesAtMs(slotState, planning.slotStates) ?? 0;
  const settling = !ordered && settlesMs > nowMs && { why: "replicas are being stopped", untilMs: settlesMs };
  const delay =
    delayOf(slotState, nowMs) ?? (settling || undefined) ?? (blocker && { why: blocker.why, untilMs: nowMs });
  if (delay !== undefined) {
    const { why, untilMs } = delay;
    return { kind: "wait", slot, reason: `${why}: ${reason}`, untilMs, alert: blocker?.alert ?? false };
  }
  const portMoves = portsTaken + (found !== undefined && metTakenPort(found.life) ? 1 : 0);
  return { kind: "heal", slot, reason, replaces: found?.instance, gently: serves(slotState), portMoves };
}

/** Why nothing is done about the slot yet, whatever is wrong with it, and until when. */
function delayOf(
  { slot, held, restart, ordered }: SlotState,
  nowMs: number,
): { why: string; untilMs: number } | undefined {
  if (slot.labels?.heal === false && !ordered) return { why: "evenkeel.heal is off", untilMs: nowMs };
  if (held !== undefined) return { why: held.paused ? "paused" : "held", untilMs: nowMs };
  if (ordered || nowMs >= restart.notBeforeMs) return undefined;
  return { why: restart.kind === "quarantined" ? "quarantined" : "backing off", untilMs: restart.notBeforeMs };
}

function budgetOf({ slotStates, steps, limits }: Planning): DisruptionBudget {
  const healing = new Set(steps.filter(({ kind }) => kind === "heal").map(({ slot }) => slot.id));
  return { slotStates, healing, missedMax: limits.missedMax };
}
