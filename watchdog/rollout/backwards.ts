// Pure. The way of a roll back to what was: one at a time, the last one first, each like one that is as before; where none is left, like
// the version that was kept. At last the sample goes. A way back that fails is not taken back: people have to look.

import type { SlotState } from "../rules/slot-state.ts";
import { isMade, type NextOfRoll, type Roll, type Rolling, started, takenAway, turn, waitFor } from "./roll.ts";

export function backwards({ roll, samples, rolled, old, gone, busy, notMade, judge }: Rolling): NextOfRoll {
  if (busy.size > 0) return waitFor(`after ${[...busy][0]}`);
  if (notMade !== undefined) return turn(roll, "paused", notMade);
  const unstarted = old.find(isMade);
  if (unstarted !== undefined) return { steps: [started(unstarted)] };
  const last = gone[0] ?? rolled.at(-1);
  const bad = old.find((state) => judge(state).kind === "bad");
  if (last !== undefined) {
    if (bad !== undefined) return turn(roll, "paused", roll.reason);
    // Whoever was put back last serves before the next one's turn.
    const waiting = old.find((state) => judge(state).kind === "waits");
    if (waiting !== undefined) return waitFor(`${waiting.slot.id} comes back`);
    return putBack(roll, last, old[0]);
  }
  const [sample] = samples;
  if (sample !== undefined) {
    // In the other order the last one that came back may have been the only one.
    const waiting = roll.order === undefined ? undefined : old.find((state) => judge(state).kind !== "well");
    if (waiting !== undefined && bad === undefined) return waitFor(`${waiting.slot.id} comes back`);
    if (waiting !== undefined) return turn(roll, "paused", roll.reason);
    return { steps: samples.map((each) => takenAway(each, roll.reason ?? "")) };
  }
  return turn(roll, roll.changed ? "rolled-back" : "failed", roll.reason);
}

/** @param source one that is as before, and serves */
function putBack(roll: Roll, { slot }: SlotState, source: SlotState | undefined): NextOfRoll {
  const reason = `it goes back: ${roll.reason}`;
  if (source !== undefined) return { steps: [{ kind: "replace", slot, from: source.slot.id, reason }] };
  if (roll.order === undefined || roll.before === undefined) return turn(roll, "paused", roll.reason);
  const version = { kind: "former", making: roll.before } as const;
  return { steps: [{ kind: "replace", slot, from: slot.id, version, reason }] };
}
