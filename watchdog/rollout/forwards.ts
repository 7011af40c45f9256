// Pure. The way of a roll to the new version. Start-first: the sample has to serve before the first replica goes, so that there are never
// fewer than before; to replace several at a time so many serve beside it. Stop-first: a replica goes before its successor starts, and
// the sample is only there to be copied.

import type { SlotState } from "../rules/slot-state.ts";
import {
  isMade,
  type NextOfRoll,
  type Roll,
  type Rolling,
  type RollStep,
  started,
  takenAway,
  turn,
  waitFor,
} from "./roll.ts";

export function forwards(rolling: Rolling): NextOfRoll {
  const { roll, rolled, old, gone, busy, notMade } = rolling;
  if (notMade !== undefined) return failed(rolling, notMade);
  if (roll.order === undefined || old.length + gone.length === 0 || isMissing(rolling)) {
    const first = tried(rolling);
    if (first !== undefined) return first;
  }
  const bad = firstBad(rolling, rolled);
  if (bad !== undefined) return failed(rolling, bad);
  const unstarted = rolled.filter((state) => isMade(state) && !busy.has(state.slot.id));
  if (unstarted.length > 0) return { steps: unstarted.map(started) };
  const waiting = rolled.filter((state) => rolling.judge(state).kind !== "well");
  const next = [...gone, ...old].filter(({ slot }) => !busy.has(slot.id));
  const under = new Set([...waiting.map(({ slot }) => slot.id), ...[...busy].filter((id) => id !== roll.sample)]);
  const room = (roll.parallel ?? 1) - under.size;
  if (next.length > 0 && room > 0) return { steps: next.slice(0, room).map((state) => replaced(roll, state)) };
  const [first] = waiting;
  if (first !== undefined) return waitFor(`${first.slot.id}: ${reasonOf(rolling, first)}`);
  if (busy.size > 0) return waitFor(`after ${[...busy][0]}`);
  return over(rolling);
}

/** Nobody is left to be replaced. */
function over({ roll, rolled, samples }: Rolling): NextOfRoll {
  // One that is alone stays.
  if (rolled.length === 0 || samples.length === 0) return turn(roll, "done");
  return { steps: samples.map((sample) => takenAway(sample, "all others are like it")) };
}

/** The sample is to be copied, and is not there. */
function isMissing({ sample, roll }: Rolling): boolean {
  return sample?.found === undefined || (roll.to !== undefined && sample.found.making !== roll.making);
}

/** @returns what the sample, and those beside it, want; undefined: they serve, or have done their work */
function tried(rolling: Rolling): NextOfRoll | undefined {
  const { roll, sample, rolled, old, gone, busy } = rolling;
  if (busy.has(roll.sample)) return waitFor(`after ${roll.sample}`);
  if (sample?.found === undefined) {
    if (roll.to !== undefined && old.length > 0) return { steps: [made(roll, old.at(-1) as SlotState)] };
    return old.length > 0 || rolled.length === 0 ? failed(rolling, `${roll.sample} is gone`) : undefined;
  }
  if (roll.to !== undefined && sample.found.making !== roll.making)
    return { steps: [takenAway(sample, "it is of another roll")] };
  // When all others are done a sample that has ended was stopped for that; and in the other order it never started.
  if (roll.order !== undefined || (old.length + gone.length === 0 && rolled.length > 0)) return undefined;
  return waitsFor(rolling, sample) ?? beside(rolling, sample);
}

/** Those that serve beside the sample. */
function beside(rolling: Rolling, sample: SlotState): NextOfRoll | undefined {
  const { roll, samples, busy } = rolling;
  const there = new Set(samples.map(({ slot }) => slot.id));
  const missing = (roll.surge ?? []).filter((id) => !there.has(id) && !busy.has(id));
  if (missing.length > 0) {
    const from = sample.slot.id;
    const reason = "so many are replaced at a time";
    return { steps: missing.map((id): RollStep => ({ kind: "make", slot: { ...sample.slot, id }, from, reason })) };
  }
  const busyOne = (roll.surge ?? []).find((id) => busy.has(id));
  if (busyOne !== undefined) return waitFor(`after ${busyOne}`);
  for (const state of samples) {
    const waits = waitsFor(rolling, state);
    if (waits !== undefined) return waits;
  }
  return undefined;
}

/** @returns undefined: it serves */
function waitsFor(rolling: Rolling, state: SlotState): NextOfRoll | undefined {
  if (isMade(state)) return { steps: [started(state)] };
  const judgement = rolling.judge(state);
  if (judgement.kind === "well") return undefined;
  const reason = `${state.slot.id}: ${judgement.reason}`;
  return judgement.kind === "bad" ? failed(rolling, reason) : waitFor(reason);
}

function firstBad({ judge, busy }: Rolling, states: readonly SlotState[]): string | undefined {
  for (const state of states) {
    const judgement = judge(state);
    if (judgement.kind === "bad" && !isMade(state) && !busy.has(state.slot.id))
      return `${state.slot.id}: ${judgement.reason}`;
  }
  return undefined;
}

function reasonOf({ judge }: Rolling, state: SlotState): string {
  const judgement = judge(state);
  return judgement.kind === "well" ? "it serves" : judgement.reason;
}

/** Nothing was changed yet, or some have to go back, or there is nothing left to go back to; a way back is not taken back. */
function failed({ roll, rolled, old, gone, busy, limits }: Rolling, reason: string): NextOfRoll {
  // What is under way comes to its end first.
  if (busy.size > 0) return waitFor(`after ${[...busy][0]}`);
  if (limits.pausesOnFailure) return turn(roll, "paused", reason);
  const changed = rolled.length + gone.length > 0;
  const hasWayBack = old.length > 0 || (roll.order !== undefined && roll.before !== undefined);
  if (changed && (!hasWayBack || roll.to === "former")) return turn(roll, "paused", reason);
  const turned: Roll = { ...roll, phase: "rolling-back", reason, ...(changed && { changed: true as const }) };
  return { steps: [], turned };
}

function made({ sample, making, to, order }: Roll, { slot }: SlotState): RollStep {
  const reason = to === "former" ? "the version before is wanted" : "its image is another by now";
  return {
    ...{ kind: "make", slot: { ...slot, id: sample }, from: slot.id, reason },
    ...(to !== undefined && { version: { kind: to, making } }),
    ...(order !== undefined && { unstarted: true }),
  };
}

function replaced({ sample }: Roll, { slot }: SlotState): RollStep {
  return { kind: "replace", slot, from: sample, reason: `it is rolled to what ${sample} is` };
}
