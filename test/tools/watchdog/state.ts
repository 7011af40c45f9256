// A round's state, made by hand, for the tests of what the watchdog shows of it.

import type { Registry, RegistryMember } from "../../../services/registry/document.ts";
import type { RoundState } from "../../../watchdog/api/view.ts";
import type { Step } from "../../../watchdog/rules/plan.ts";
import type { SlotState } from "../../../watchdog/rules/slot-state.ts";

export const WRITTEN_AT = "2026-11-22T12:00:00.000Z";

export function registry(...members: readonly RegistryMember[]): Registry {
  return { schema: 1, version: 42, writtenAt: WRITTEN_AT, members };
}

export function member(id: string, changes: Partial<RegistryMember> = {}): RegistryMember {
  const role = id.replace(/-\d+$/, "") as RegistryMember["role"];
  return { id, role, host: "10.0.0.1", port: 9001, adminPort: 9101, state: "serving", generation: 1, ...changes };
}

export function state(
  members: readonly RegistryMember[],
  slotStates: readonly SlotState[],
  steps: readonly Step[] = [],
): RoundState {
  return { registry: registry(...members), slotStates, steps, failing: undefined };
}
