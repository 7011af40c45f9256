// Pure. What people, scripts and Prometheus see: one row a slot, incidents in short, and the targets to scrape.

import type { Registry } from "../../services/registry/document.ts";
import { authorityOf } from "../../services/runtime/address.ts";
import type { Times } from "../incidents/incident.ts";
import type { Step } from "../rules/plan.ts";
import type { SlotState } from "../rules/slot-state.ts";

export interface State {
  readonly registry: Registry;
  readonly slotStates: readonly SlotState[];
  readonly steps: readonly Step[];
}

export interface Row {
  readonly slot: string;
  readonly role: string;
  readonly group: string | null;
  readonly life: string;
  readonly state: string;
  readonly address: string | null;
  readonly generation: number | null;
  /** The engine's own id of the member: a container's, or one made for a process. */
  readonly instance: string | null;
  /** Where members are processes of the watchdog's. */
  readonly pid: number | null;
  /** Somebody took the slot over: nothing is done about it until it is released. */
  readonly held: boolean;
  /** Probes without an answer, in a row. */
  readonly missed: number;
  readonly restarts:
    | { readonly kind: "normal" }
    /** `until`: no try before this time, in ISO 8601. */
    | { readonly kind: "quarantined"; readonly until: string };
  /** What the watchdog is about to do, and why; null when there is nothing to do. */
  readonly step: string | null;
}

export function rowsOf({ registry, slotStates, steps }: State): Row[] {
  const members = new Map(registry.members.map((member) => [member.id, member]));
  const planned = new Map(steps.map((step) => [step.slot.id, step]));
  return slotStates.map((slotState) => {
    const { slot, found, missed, restart } = slotState;
    const member = members.get(slot.id);
    const step = planned.get(slot.id);
    return {
      slot: slot.id,
      role: slot.role,
      group: slot.group ?? null,
      life: lifeOf(slotState),
      state: member?.state ?? "out of the registry",
      address: member ? addressOf(member.host, member.port) : null,
      generation: member?.generation ?? null,
      instance: found?.instance ?? null,
      pid: found?.pid ?? null,
      held: slotState.held !== undefined,
      missed,
      restarts:
        restart.kind === "quarantined"
          ? { kind: "quarantined", until: new Date(restart.notBeforeMs).toISOString() }
          : { kind: "normal" },
      step: step ? `${step.kind}: ${step.reason}` : null,
    };
  });
}

/** A row's life as people read it, with all that is not as usual. */
export function lifeShown({ life, held, missed, restarts }: Row): string {
  const remarks = [held && "held", restarts.kind === "quarantined" && "quarantined", missed > 0 && `${missed} missed`];
  return [life, ...remarks.filter(Boolean)].join(", ");
}

/** What comes next of a row, as people read it. */
export function nextShown({ step, held, restarts }: Row): string {
  if (step === null) return held ? "none until it is released" : "";
  return restarts.kind === "quarantined" ? `${step}, until ${restarts.until.slice(11, 19)} UTC` : step;
}

/** From detection to the end, in ms; undefined while it is under way. */
export function tookMs({ detectedMs, inTrafficMs, failedMs }: Times): number | undefined {
  const endMs = inTrafficMs ?? failedMs;
  return endMs === undefined ? undefined : endMs - detectedMs;
}

/** A time as people read it, to the second. The zone is UTC, as in every log line. */
export function utc(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}

export interface Target {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** https://prometheus.io/docs/prometheus/latest/http_sd/: the full list each time, `[]` when there is none. */
export function targetsOf({ members }: Registry): Target[] {
  return members
    .filter(({ adminPort, state }) => adminPort !== undefined && state !== "down")
    .map(({ id, role, group, host, adminPort }) => ({
      targets: [addressOf(host, adminPort as number)],
      labels: { member: id, role, ...(group === undefined ? {} : { group }) },
    }));
}

/** An IPv6 address stands in brackets beside a port (RFC 3986 section 3.2.2). */
export function addressOf(host: string, port: number): string {
  return authorityOf(host, port);
}

function lifeOf({ healing, intent, found }: SlotState): string {
  if (healing) return "healing";
  if (intent?.kind === "stopped" && found?.life.kind !== "running") return "stopped on purpose";
  return found?.life.kind ?? "absent";
}
