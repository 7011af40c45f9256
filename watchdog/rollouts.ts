// The rolls and the scales that are under way, as part of each round: the state file keeps them, and the log tells how they turn.

import { nowMs } from "../services/runtime/clock.ts";
import type { Settings } from "../services/runtime/config.ts";
import type { Log } from "../services/runtime/log.ts";
import type { Executor } from "./act/executor.ts";
import type { Runner } from "./engines/runner.ts";
import type { StateFile } from "./observe/state-file.ts";
import { plannedRolls, type RollsNow } from "./rollout/planned-rolls.ts";
import { plannedScales } from "./rollout/planned-scales.ts";
import { isUnderWay, type Roll, samplesOf } from "./rollout/roll.ts";
import { scaleUnderWay } from "./rollout/scale.ts";
import { settledServices } from "./rollout/settled.ts";
import type { Step } from "./rules/plan.ts";
import type { SlotState } from "./rules/slot-state.ts";

/** So long a new version has to serve before the next replica's turn. */
const MONITOR_MS = 2_000;

export interface RolloutsParts {
  readonly stateFile: StateFile;
  readonly executor: Pick<Executor, "busy" | "addFailures">;
  readonly runner: Pick<Runner, "keepVersion">;
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: { readonly rollEnded: (phase: Roll["phase"]) => void };
  readonly wake: () => void;
}

export interface PlannedRollouts {
  readonly steps: readonly Step[];
  /** The slots that the plan leaves alone. */
  readonly slots: ReadonlySet<string>;
  /** Those whose members go before their successors are there: requests wait for them. */
  readonly away: ReadonlySet<string>;
}

/**
 * What is to be done for them now. Whatever was ordered is on disk before any of it is done.
 * @param busyBefore the slots of which a step was being carried out before the round looked: what it has made, that look may have missed
 */
export async function planRollouts(
  parts: RolloutsParts,
  slotStates: readonly SlotState[],
  busyBefore: ReadonlySet<string>,
): Promise<PlannedRollouts> {
  const { stateFile, executor, settings, log, metrics, wake } = parts;
  const { rolls, scales } = stateFile.state;
  const limits = { startTimeoutMs: settings.START_TIMEOUT_MS, monitorMs: MONITOR_MS };
  const { addFailures: failures } = executor;
  const busy = new Set([...busyBefore, ...executor.busy]);
  const now = { states: slotStates, busy, failures, limits, nowMs: nowMs() };
  const rolling = plannedRolls(rolls, now);
  const scaling = plannedScales(scales, now);
  for (const [service, roll] of rolling.turned) {
    rolls.set(service, roll);
    for (const { slot } of slotStates) if (slot.service === service) failures.delete(slot.id);
    for (const slot of samplesOf(roll)) failures.delete(slot);
    log("roll-turned", { service, ...roll });
    if (!isUnderWay(roll)) metrics.rollEnded(roll.phase);
  }
  for (const [service, scale] of scaling.turned) {
    scales.set(service, scale);
    if (scale.phase !== "scaling") for (const slot of scale.added) failures.delete(slot);
    log("scale-turned", { service, ...scale });
  }
  if (rolling.turned.size + scaling.turned.size > 0) wake();
  await keepVersions(parts, now);
  const steps = [...rolling.steps, ...scaling.steps];
  const isOrder = steps.some(({ kind }) => kind === "add") || scaling.steps.length > 0;
  // What cannot be noted is not done; heals go on.
  const noted =
    !isOrder ||
    (await stateFile.save().then(
      () => true,
      () => false,
    ));
  return { steps: noted ? steps : [], slots: new Set([...rolling.slots, ...scaling.slots]), away: rolling.away };
}

/** Before anything of a service is changed: what it has been until now is what one goes back to. */
async function keepVersions(
  { stateFile, runner }: RolloutsParts,
  { states, limits, nowMs: atMs }: RollsNow,
): Promise<void> {
  const { rolls, scales } = stateFile.state;
  const rolled = [...rolls].filter(([, roll]) => isUnderWay(roll));
  const scaled = [...scales].filter(([, scale]) => scaleUnderWay(scale));
  const changing = new Set([...rolled, ...scaled].map(([service]) => service));
  // What cannot be written now is written later; nothing else waits for it.
  for (const { slot, making } of settledServices(states, { changing, limits, nowMs: atMs }))
    await runner.keepVersion(slot, making).catch(() => {});
}
