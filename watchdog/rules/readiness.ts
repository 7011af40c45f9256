// Pure. May `docker compose up --wait` return? When the balancer serves, and no slot is still on its way.

import type { RegistryMember } from "../../services/registry/document.ts";
import { takesTraffic } from "../../services/runtime/roles.ts";
import type { Step } from "./plan.ts";
import type { Situation } from "./slot-state.ts";

export interface Round {
  readonly situations: readonly Situation[];
  readonly steps: readonly Step[];
  readonly members: readonly RegistryMember[];
}

export function isReady({ situations, steps, members }: Round): boolean {
  const serving = new Set(members.filter(({ state }) => state === "serving").map(({ id }) => id));
  const waiting = new Set(steps.filter(({ kind }) => kind === "wait").map(({ slot }) => slot.id));
  const arrived = ({ slot, wish, found }: Situation) =>
    !takesTraffic(slot.role) ||
    serving.has(slot.id) ||
    wish?.kind === "stopped" ||
    found?.life.kind === "paused" ||
    waiting.has(slot.id);
  const balancers = situations.filter(({ slot }) => slot.role === "balancer");
  return balancers.some(({ slot }) => serving.has(slot.id)) && situations.every(arrived);
}
