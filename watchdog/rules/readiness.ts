// Pure. May `docker compose up --wait` return? When the balancer serves, and no slot is still on its way.

import type { RegistryMember } from "../../services/registry/document.ts";
import { takesTraffic } from "../../services/runtime/roles.ts";
import type { Step } from "./plan.ts";
import type { SlotState } from "./slot-state.ts";

/** A round, and the registry that it wrote. */
export interface ReadinessInputs {
  readonly slotStates: readonly SlotState[];
  readonly steps: readonly Step[];
  readonly members: readonly RegistryMember[];
}

export function isReady({ slotStates, steps, members }: ReadinessInputs): boolean {
  const serving = new Set(members.filter(({ state }) => state === "serving").map(({ id }) => id));
  const waiting = new Set(steps.filter(({ kind }) => kind === "wait").map(({ slot }) => slot.id));
  const arrived = ({ slot, intent, found }: SlotState) =>
    !takesTraffic(slot.role) ||
    serving.has(slot.id) ||
    intent?.kind === "stopped" ||
    found?.life.kind === "paused" ||
    waiting.has(slot.id);
  const balancers = slotStates.filter(({ slot }) => slot.role === "balancer");
  return balancers.some(({ slot }) => serving.has(slot.id)) && slotStates.every(arrived);
}
