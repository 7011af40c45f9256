// Pure. (random, what serves now, what is recovering) -> the next fault and its target, or none.
// Chaos shows that no GET fails while one server serves, so it never takes the last complete route: a serving proxy with a
// serving server of its group, neither of them recovering from a fault. The balancer is on every route and stands outside of
// that rule: an operator who lists it among the roles has asked for the gap.

import { type TrafficRole, trafficRoles } from "../../services/runtime/roles.ts";
import type { FaultKind } from "./injected-fault.ts";

/** From the servers up: the balancer last. */
export const targetRoles: readonly TrafficRole[] = [...trafficRoles].reverse();

/** A slot as far as the choice goes. */
export interface TargetCandidate {
  readonly slot: string;
  readonly role: string;
  readonly group: string | null;
  readonly serves: boolean;
}

/** Which faults are injected, and into members of which roles. */
export interface FaultScope {
  readonly kinds: readonly FaultKind[];
  readonly roles: readonly TrafficRole[];
}

export interface ChosenFault {
  readonly kind: FaultKind;
  readonly slot: string;
}

/**
 * The same random numbers and the same states make the same choice. It draws two numbers each time, also when it finds nothing
 * to do, so that a moment without a target does not shift those after it.
 * @param random from [0, 1) @param recovering slots with a fault that they have not recovered from
 */
export function nextFault(
  random: () => number,
  candidates: readonly TargetCandidate[],
  recovering: ReadonlySet<string>,
  { kinds, roles }: FaultScope,
): ChosenFault | undefined {
  const [kindAt, slotAt] = [random(), random()];
  const sound = candidates.filter(({ slot, serves }) => serves && !recovering.has(slot));
  const targets = sound
    .filter(({ role }) => (roles as readonly string[]).includes(role))
    .filter((target) => hasRoute(sound.filter((other) => other !== target)));
  const kind = kinds[Math.floor(kindAt * kinds.length)];
  const target = targets[Math.floor(slotAt * targets.length)];
  return kind === undefined || target === undefined ? undefined : { kind, slot: target.slot };
}

/** Is there a proxy with a server of its group among these, who all serve? */
export function hasRoute(sound: readonly TargetCandidate[]): boolean {
  const groups = new Set(sound.filter(({ role }) => role === "server").map(({ group }) => group));
  return sound.some(({ role, group }) => role === "proxy" && groups.has(group));
}
