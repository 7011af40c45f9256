// Pure. The registry that follows from a round: (slot states, steps, the members before) -> the members of the next one.
// It says where members are and whether they take traffic; a deliberate stop takes a member out of it.

import type { MemberState, RegistryMember } from "../../services/registry/document.ts";
import { takesTraffic } from "../../services/runtime/roles.ts";
import { poolOf, reports } from "../desired/slot.ts";
import { withGroups } from "./groups.ts";
import type { Step } from "./plan.ts";
import { type SlotState, serves, weightOf } from "./slot-state.ts";

export interface RegistryInputs {
  readonly slotStates: readonly SlotState[];
  readonly steps: readonly Step[];
  /** How many times each slot has been filled. */
  readonly generations: ReadonlyMap<string, number>;
  /** Those that are about to be stopped by us. */
  readonly leaving?: ReadonlySet<string>;
  /** Those whose members go before their successors are there: requests wait for them. */
  readonly away?: ReadonlySet<string>;
}

export function membersOf(
  { slotStates, steps, generations, leaving, away }: RegistryInputs,
  before: readonly RegistryMember[],
): RegistryMember[] {
  const known = new Map(before.map((member) => [member.id, member]));
  const condemned = new Set(steps.filter(isReplacement).map(({ slot }) => slot.id));
  const members = slotStates.flatMap((slotState): RegistryMember[] => {
    const { id } = slotState.slot;
    const isAway = away?.has(id) ?? false;
    const entry = entryOf({ slotState, generation: generations.get(id) ?? 0, isAway }, known.get(id));
    if (entry === undefined) return [];
    if (leaving?.has(id) && entry.state === "serving") return [{ ...entry, state: "draining" }];
    // A member that is to be replaced because it does not answer takes no traffic until then, however long that is.
    return slotState.missed > 0 && condemned.has(id) ? [{ ...entry, state: "down" }] : [entry];
  });
  const fixed = slotStates.flatMap(({ slot: { id, group } }) => (group === undefined ? [] : [[id, group] as const]));
  return withGroups(members, new Map(fixed));
}

/** A heal, now or later; not one that waits for people because the fault may be our own sight. */
function isReplacement(step: Step): boolean {
  return step.kind === "heal" || (step.kind === "wait" && !step.alert);
}

export function sameMembers(one: readonly RegistryMember[], other: readonly RegistryMember[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

interface Entering {
  readonly slotState: SlotState;
  readonly generation: number;
  readonly isAway: boolean;
}

function entryOf(
  { slotState, generation, isAway }: Entering,
  before: RegistryMember | undefined,
): RegistryMember | undefined {
  const { slot, found, intent } = slotState;
  const { id, role, labels, faults } = slot;
  if (!takesTraffic(role) || faults !== undefined) return undefined;
  const running = found?.life.kind === "running";
  if (intent?.kind === "stopped" && !running && !recreating(slotState)) return undefined;
  const pool = reports(slot) ? labels?.pool : poolOf(slot);
  const { health, path, strip } = labels ?? {};
  const weight = weightOf(slotState);
  const base = {
    id,
    role,
    ...given({ pool, health, weight, strip: strip ? path : undefined, node: found?.node?.name }),
    ...((isAway || recreating(slotState)) && { recreating: labels?.holdMs ?? HOLD_MS }),
  };
  const port = found?.ports?.port;
  if (!running || found?.host === undefined || port === undefined) {
    // A watchdog that has just come back has yet to read where a member listens; nothing has changed for the member.
    if (running && before?.generation === generation) return before;
    // Nobody knows yet where its successor will be; the member is no longer where it was.
    return before && { ...before, ...base, state: "down" };
  }
  const { host, ports } = found;
  const state = stateOf(slotState, before?.generation === generation ? before : undefined);
  const { adminPort, link } = ports ?? {};
  return { ...base, host, port, ...given({ adminPort, link }), state, generation };
}

/** How long a request may wait, unless a label says otherwise. */
const HOLD_MS = 10_000;

/** Without what is undefined. */
function given<Fields extends object>(fields: Fields): { [Key in keyof Fields]?: NonNullable<Fields[Key]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

/** Is it out of traffic because Compose makes it anew, and soon back? */
function recreating({ found, answered }: SlotState): boolean {
  return found?.recreated === "under way" || (found?.recreated === "done" && !answered);
}

/**
 * One missed probe takes nobody out of traffic: that is for the tiers to see, and they see it sooner.
 * @param before the same member's entry
 */
function stateOf(slotState: SlotState, before: RegistryMember | undefined): MemberState {
  // Somebody asked it to stop: it still takes what is on its way to it, and nothing new goes there.
  const { found, intent } = slotState;
  if (found?.draining || found?.recreated === "under way" || (intent?.kind === "asked" && intent.toStop))
    return "draining";
  if (serves(slotState)) return "serving";
  // A watchdog that has just come back has yet to ask it; nothing has changed for the member.
  if (slotState.probed === undefined) return before?.state ?? "starting";
  if (slotState.probed.kind !== "silent" || before === undefined) return "starting";
  return before.state === "serving" && slotState.missed > 0 ? "serving" : "starting";
}
