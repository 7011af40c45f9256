// What a round is to do: the plan, beside the rolls and scales that are under way; where an engine is only observed, for what it waits.

import { nowMs } from "../services/runtime/clock.ts";
import type { Settings } from "../services/runtime/config.ts";
import type { Log } from "../services/runtime/log.ts";
import type { WatchdogParts } from "./parts.ts";
import { planRollouts } from "./rollouts.ts";
import { plan, type Step } from "./rules/plan.ts";
import { planObserved } from "./rules/plan-observed.ts";
import type { SlotState } from "./rules/slot-state.ts";

export interface RoundLook {
  readonly slotStates: readonly SlotState[];
  /** The slots of which a step was being carried out before the round looked. */
  readonly busyBefore: ReadonlySet<string>;
}

export interface RoundPlan {
  readonly steps: readonly Step[];
  /** The slots whose members go before their successors are there: requests wait for them. */
  readonly away: ReadonlySet<string>;
}

interface RoundTerms {
  readonly settings: Settings;
  readonly log: Log;
  readonly wake: () => void;
}

export async function planRound(
  { runner, stateFile, executor, metrics }: WatchdogParts,
  { slotStates, busyBefore }: RoundLook,
  { settings, log, wake }: RoundTerms,
): Promise<RoundPlan> {
  const limits = { missedMax: settings.PROBE_FAILURES, startTimeoutMs: settings.START_TIMEOUT_MS };
  if (runner === undefined) return { steps: planObserved(slotStates, limits, nowMs()), away: new Set() };
  const parts = { stateFile, executor, runner, settings, log, metrics, wake };
  const rollouts = await planRollouts(parts, slotStates, busyBefore);
  const others = slotStates.filter(({ slot }) => !rollouts.slots.has(slot.id));
  return { steps: [...plan(others, limits, nowMs()), ...rollouts.steps], away: rollouts.away };
}
