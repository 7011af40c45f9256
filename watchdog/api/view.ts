// Pure. (a round's state) -> the documents that scripts and Prometheus read; and how people read what stands in them.

import type { Registry, RegistryMember } from "../../services/registry/document.ts";
import { authorityOf } from "../../services/runtime/address.ts";
import type { IncidentTimes } from "../incidents/incident.ts";
import type { Step } from "../rules/plan.ts";
import { type SlotState, weightOf } from "../rules/slot-state.ts";
import type { ScrapeTarget, SlotRow, StateDocument } from "./schema.ts";

/** What the watchdog's latest round has found, planned and published. */
export interface RoundState {
  readonly registry: Registry;
  readonly slotStates: readonly SlotState[];
  readonly steps: readonly Step[];
  /** Why the last round failed, if it did. */
  readonly failing: string | undefined;
}

/** Nothing is to be done: the engine says in time which it is. */
const OWN_CHECK_AWAITED = "wait: its own health check has yet to pass";

export function stateDocument(round: RoundState): StateDocument {
  const { version, writtenAt } = round.registry;
  return { registry: { version, writtenAt }, slots: rowsOf(round), failing: round.failing ?? null };
}

export function rowsOf({ registry, slotStates, steps }: RoundState): SlotRow[] {
  const members = new Map(registry.members.map((member) => [member.id, member]));
  const planned = new Map(steps.map((step) => [step.slot.id, step]));
  return slotStates.map((slotState) => {
    const { slot, found, missed, restart } = slotState;
    const member = members.get(slot.id);
    const step = planned.get(slot.id);
    return {
      slot: slot.id,
      role: slot.role,
      group: member?.group ?? slot.group ?? null,
      life: lifeOf(slotState),
      state: member?.state ?? "out of the registry",
      address: member ? authorityOf(member.host, member.port) : null,
      generation: member?.generation ?? null,
      instance: found?.instance ?? null,
      pid: found?.pid ?? null,
      ...(found?.node && { node: found.node.name }),
      held: slotState.held !== undefined && !slotState.held.paused,
      paused: slotState.held?.paused ?? false,
      weight: slot.role === "server" ? (weightOf(slotState) ?? 1) : null,
      missed,
      restarts:
        restart.kind === "quarantined"
          ? { kind: "quarantined", until: new Date(restart.notBeforeMs).toISOString() }
          : { kind: "normal" },
      step: step ? `${step.kind}: ${step.reason}` : slotState.gated ? OWN_CHECK_AWAITED : null,
    };
  });
}

/**
 * The full list each time: those that are down too, so that `up` is 0 and not gone, and the watchdog itself.
 * @param watchdog the address by which it was asked
 */
export function targetsOf({ members }: Registry, watchdog?: string): ScrapeTarget[] {
  const own = watchdog === undefined ? [] : [{ targets: [watchdog], labels: WATCHDOG_LABELS }];
  const all = members.flatMap((member) =>
    member.adminPort === undefined
      ? []
      : [{ targets: [authorityOf(member.host, member.adminPort)], labels: targetLabels(member) }],
  );
  return [...own, ...all];
}

export const WATCHDOG_LABELS = { member: "watchdog", role: "watchdog", instance: "watchdog" } as const;

/** The instance is the member, not its address: its series go on when it is healed at another port. */
export function targetLabels({ id, role, group }: RegistryMember): ScrapeTarget["labels"] {
  return { member: id, role, ...(group === undefined ? {} : { group }), instance: id };
}

/** A row's life as people read it, with all that is not as usual. */
export function lifeShown({ life, node, held, paused, weight, missed, restarts }: SlotRow): string {
  const isWeighed = weight !== null && weight !== 1;
  const remarks = [
    node !== undefined && `on ${node}`,
    held && "held",
    paused && "service paused",
    isWeighed && `weight ${weight}`,
    restarts.kind === "quarantined" && "quarantined",
    missed > 0 && `${missed} missed`,
  ];
  return [life, ...remarks.filter(Boolean)].join(", ");
}

/** A row's next step as people read it. */
export function nextShown({ step, held, paused, restarts }: SlotRow): string {
  if (step === null) return held ? "none until it is released" : paused ? "none until its service is resumed" : "";
  return restarts.kind === "quarantined" ? `${step}, until ${restarts.until.slice(11, 19)} UTC` : step;
}

/** From detection to the end, in ms; undefined while it is under way. */
export function tookMs({ detectedMs, inTrafficMs, failedMs }: IncidentTimes): number | undefined {
  const endMs = inTrafficMs ?? failedMs;
  return endMs === undefined ? undefined : endMs - detectedMs;
}

/** A time as people read it, to the second. The zone is UTC, as in every log line. */
export function utc(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

function lifeOf({ slot, healing, intent, found }: SlotState): SlotRow["life"] {
  if (slot.faults !== undefined) return "misconfigured";
  if (healing) return "healing";
  if (intent?.kind === "stopped" && found?.life.kind !== "running") return "stopped on purpose";
  return found?.life.kind ?? "absent";
}
