// Pure. The plan of a round where the engine starts and replaces members by itself: there is nothing to do but to wait, and each wait
// says for what. Who is waited for and does not answer is out of traffic (registry-view.ts).

import { need, type PlanLimits } from "./need.ts";
import type { Step } from "./plan.ts";
import { type Silence, silentMembers } from "./silent-members.ts";
import type { SlotState } from "./slot-state.ts";

export type Waiting = Extract<Step, { kind: "wait" }>;

export function planObserved(slotStates: readonly SlotState[], limits: PlanLimits, nowMs: number): Waiting[] {
  const silent = silentMembers(slotStates, limits.missedMax);
  return slotStates.flatMap((slotState): Waiting[] => {
    const waited = waitOf(slotState, silent.get(slotState.slot.id), { limits, nowMs });
    return waited === undefined ? [] : [{ kind: "wait", slot: slotState.slot, untilMs: nowMs, ...waited }];
  });
}

function waitOf(
  slotState: SlotState,
  silence: Silence | undefined,
  { limits, nowMs }: { readonly limits: PlanLimits; readonly nowMs: number },
): Pick<Waiting, "reason" | "alert"> | undefined {
  const { slot, found } = slotState;
  if (slot.faults !== undefined) return { reason: slot.faults.join("; "), alert: true };
  if (found === undefined) return undefined;
  const { life } = found;
  if (life.kind === "created")
    return life.error === undefined ? undefined : { reason: `it is not started yet: ${life.error}`, alert: false };
  if (life.kind !== "running") return undefined;
  // On its way out, on purpose: it has no traffic to lose, and to be down has its tiers give up what still waits for it.
  if (found.draining) return silence && { reason: `it is on its way out, and silent: ${silence.reason}`, alert: false };
  const needed = need(slotState, limits, nowMs);
  if (silence?.kind === "down") return { reason: `out of traffic until it answers: ${silence.reason}`, alert: false };
  if (needed.kind === "none") return undefined;
  return { reason: silence?.reason ?? needed.reason, alert: true };
}
