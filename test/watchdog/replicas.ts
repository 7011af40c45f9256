// Replicas of a service in all states that a roll may find them in, made by hand, and a roll's next step in few words.

import type { Slot } from "../../watchdog/desired/slot.ts";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { nextOfRoll, type RollsNow } from "../../watchdog/rollout/planned-rolls.ts";
import type { Roll, RollStep } from "../../watchdog/rollout/roll.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { exited, found, passed, silent, slotState } from "../tools/watchdog/slot-states.ts";

export const NOW = 1_000_000;
export const limits = { startTimeoutMs: 30_000, monitorMs: 2_000 };
export const roll: Roll = { sample: "app-4", making: "new", phase: "rolling" };

export const now = (states: readonly SlotState[], nowMs = NOW): RollsNow => ({
  states,
  busy: new Set(),
  failures: new Map(),
  limits,
  nowMs,
});

export const slotOf = (number: number): Slot => ({ id: `app-${number}`, role: "server", service: "app" });
export function state(number: number, making: string, changes: Partial<SlotState> = {}): SlotState {
  const member: Found = { ...found(`app-${number}`, { kind: "running", sinceMs: 0 }), making };
  return slotState(`app-${number}`, {
    slot: slotOf(number),
    found: member,
    probed: passed,
    servesSinceMs: 0,
    ...changes,
  });
}
export const created = (number: number): SlotState =>
  state(number, "new", {
    found: { ...found(`app-${number}`, { kind: "created" }), making: "new" },
    probed: undefined as never,
  });
export const createdOld = (number: number): SlotState =>
  state(number, "old", {
    found: { ...found(`app-${number}`, { kind: "created" }), making: "old" },
    probed: undefined as never,
  });
export const fresh = (number: number, making = "new") => state(number, making, { servesSinceMs: NOW - 1 });
export const dead = (number: number, making = "new") => {
  const { probed: _probed, servesSinceMs: _since, ...rest } = state(number, making);
  return { ...rest, found: { ...exited(`app-${number}`, { code: 1 }), making } };
};
export const deaf = (number: number, making = "new") => {
  const { servesSinceMs: _since, ...rest } = state(number, making);
  return { ...rest, probed: silent, missed: 9, seenSinceMs: 0 };
};
export const gone = (number: number) => {
  const { found: _found, probed: _probed, servesSinceMs: _since, ...rest } = state(number, "old");
  return rest;
};

/** Compact: "replace app-1 from app-4", "turn rolling-back"; several are parted by commas. */
export function brief(given: Roll, ...states: readonly SlotState[]): string {
  const { steps, turned, waits } = nextOfRoll(given, now(states));
  if (turned !== undefined) return `turn ${turned.phase}`;
  if (waits !== undefined) return `wait (${waits})`;
  return steps.map(worded).join(", ");
}

function worded(step: RollStep): string {
  if (step.kind !== "replace" && step.kind !== "make") return `${step.kind} ${step.slot.id}`;
  const how = step.kind === "make" && step.unstarted ? " unstarted" : "";
  return `${step.kind} ${step.slot.id} from ${step.version?.kind ?? ""}${step.version ? " " : ""}${step.from}${how}`;
}
