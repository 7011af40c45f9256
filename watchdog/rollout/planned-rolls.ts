// Pure. The steps of all rolls in one round: (rolls, slot states) -> steps for the executor, and how the rolls go on. What a roll is
// about to replace, or has made, is the roll's to judge; of the others the plan takes care.

import { byNumber } from "../desired/slot.ts";
import type { Step } from "../rules/plan.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { backwards } from "./backwards.ts";
import { forwards } from "./forwards.ts";
import { isUnderWay, judged, type NextOfRoll, type Roll, type RollLimits, type RollStep, samplesOf } from "./roll.ts";

export interface PlannedRolls {
  readonly steps: readonly Step[];
  /** By service; those that have changed. */
  readonly turned: ReadonlyMap<string, Roll>;
  /** The slots that the plan leaves alone. */
  readonly slots: ReadonlySet<string>;
  /** Those whose members go before their successors are there: requests wait for them. */
  readonly away: ReadonlySet<string>;
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
  const away = new Set<string>();
  for (const [service, roll] of rolls) {
    if (!isUnderWay(roll)) continue;
    const states = now.states.filter(({ slot }) => slot.service === service);
    if (roll.order !== undefined) for (const { slot } of states) away.add(slot.id);
    // The plan does nothing about them either.
    if (states.some(({ held }) => held?.paused)) continue;
    const samples = samplesOf(roll);
    for (const { slot, found } of states) {
      if (samples.includes(slot.id) || found === undefined || found.making === roll.making) slots.add(slot.id);
    }
    const next = nextOfRoll(roll, { ...now, states });
    if (next.turned !== undefined) turned.set(service, next.turned);
    for (const step of next.steps) {
      slots.add(step.slot.id);
      steps.push(...stepOf(step, states));
    }
  }
  return { steps, turned, slots, away };
}

/** @param now with the states of all slots of the service */
export function nextOfRoll(roll: Roll, { states, failures, nowMs, ...now }: RollsNow): NextOfRoll {
  const sorted = [...states].sort(({ slot: one }, { slot: other }) => byNumber(one.id, other.id));
  const ids = samplesOf(roll);
  const own = [...new Set([...sorted.map(({ slot }) => slot.id), ...ids])];
  const isBusy = (id: string) => now.busy.has(id) || sorted.some(({ slot, healing }) => slot.id === id && healing);
  const replicas = sorted.filter(({ slot }) => !ids.includes(slot.id));
  const failing = own.find((id) => failures.has(id));
  const limits = limitsOf(roll, states, now.limits);
  const rolling = {
    roll,
    sample: sorted.find(({ slot }) => slot.id === roll.sample),
    samples: sorted.filter(({ slot }) => ids.includes(slot.id)),
    rolled: replicas.filter(({ found }) => found?.making === roll.making),
    old: replicas.filter(({ found }) => found !== undefined && found.making !== roll.making),
    gone: replicas.filter(({ found, intent }) => found === undefined && intent?.kind !== "stopped"),
    busy: new Set(own.filter(isBusy)),
    notMade: failing && `${failing}: ${failures.get(failing)}`,
    limits,
    judge: (state: SlotState) => judged(state, limits, nowMs),
  };
  return roll.phase === "rolling-back" ? backwards(rolling) : forwards(rolling);
}

/** As the version that is rolled out has them. */
function limitsOf({ sample }: Roll, states: readonly SlotState[], limits: RollLimits): RollLimits {
  const { monitorMs = limits.monitorMs, onFailure } = states.find(({ slot }) => slot.id === sample)?.slot.labels ?? {};
  return { ...limits, monitorMs, pausesOnFailure: onFailure === "pause" };
}

function stepOf(next: RollStep, states: readonly SlotState[]): Step[] {
  const { slot, reason } = next;
  if (next.kind === "make") return [{ ...next, kind: "add" }];
  const instance = states.find((state) => state.slot.id === slot.id)?.found?.instance;
  if (next.kind === "replace") {
    const { from, version } = next;
    const like = { from, ...(version && { version }) };
    return [{ kind: "heal", slot, reason, replaces: instance, gently: true, portMoves: 0, ...like }];
  }
  if (next.kind === "forget") return [{ kind: "forget", slot, reason }];
  return instance === undefined ? [] : [{ kind: next.kind, slot, reason, instance }];
}
