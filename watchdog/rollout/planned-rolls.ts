// Pure. The steps of all rolls in one round: (rolls, slot states) -> steps for the executor, and how the rolls go on. What a roll is
// about to replace, or has made, is the roll's to judge; of the others the plan takes care.

import type { Step } from "../rules/plan.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { isUnderWay, type Roll, type RollLimits, rollStep } from "./roll.ts";

export interface PlannedRolls {
  readonly steps: readonly Step[];
  /** By service; those that have changed. */
  readonly turned: ReadonlyMap<string, Roll>;
  /** The slots that the plan leaves alone. */
  readonly slots: ReadonlySet<string>;
}

export interface RollsNow {
  readonly states: readonly SlotState[];
  /** The slots of which a step is being carried out; a sample may have no state yet. */
  readonly busy: ReadonlySet<string>;
  /** By slot: why one could not be made. */
  readonly failures: ReadonlyMap<string, string>;
  readonly limits: RollLimits;
  readonly nowMs: number;
}

export function plannedRolls(rolls: ReadonlyMap<string, Roll>, now: RollsNow): PlannedRolls {
  const steps: Step[] = [];
  const turned = new Map<string, Roll>();
  const slots = new Set<string>();
  for (const [service, roll] of rolls) {
    if (!isUnderWay(roll)) continue;
    const states = now.states.filter(({ slot }) => slot.service === service);
    // The plan does nothing about them either.
    if (states.some(({ held }) => held?.paused)) continue;
    for (const { slot, found } of states) {
      if (slot.id === roll.sample || found === undefined || found.making === roll.making) slots.add(slot.id);
    }
    slots.add(roll.sample);
    if (now.busy.has(roll.sample)) continue;
    const next = rollStep(roll, states, limitsOf(roll, states, now), now.nowMs);
    if (next.kind === "turn") turned.set(service, next.roll);
    else if (next.kind !== "wait") {
      slots.add(next.slot.id);
      const step = stepOf(next, states);
      if (step !== undefined) steps.push(step);
    }
  }
  return { steps, turned, slots };
}

/** As the version that is rolled out has them. */
function limitsOf({ sample }: Roll, states: readonly SlotState[], { limits, failures }: RollsNow): RollLimits {
  const { monitorMs = limits.monitorMs, onFailure } = states.find(({ slot }) => slot.id === sample)?.slot.labels ?? {};
  return { ...limits, monitorMs, pausesOnFailure: onFailure === "pause", notMade: failures.get(sample) };
}

type Acting = Exclude<ReturnType<typeof rollStep>, { kind: "turn" | "wait" }>;

function stepOf(next: Acting, states: readonly SlotState[]): Step | undefined {
  const { slot, reason } = next;
  if (next.kind === "make") return { ...next, kind: "add" };
  const instance = states.find((state) => state.slot.id === slot.id)?.found?.instance;
  if (next.kind === "replace") {
    return { kind: "heal", slot, reason, replaces: instance, gently: true, portMoves: 0, from: next.from };
  }
  if (next.kind === "forget") return { kind: "forget", slot, reason };
  return instance === undefined ? undefined : { kind: next.kind, slot, reason, instance };
}
