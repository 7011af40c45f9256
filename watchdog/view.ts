// Pure. What people, scripts and Prometheus see of a round: one row a slot, and the targets to scrape.

import type { Registry } from "../services/registry.ts";
import type { Situation, Step } from "./plan.ts";

export interface State {
  readonly registry: Registry;
  readonly situations: readonly Situation[];
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
  /** The process, where the engine runs processes. */
  readonly pid: number | null;
  /** What the watchdog is about to do, and why; null when there is nothing to do. */
  readonly step: string | null;
}

export function rowsOf({ registry, situations, steps }: State): Row[] {
  const members = new Map(registry.members.map((member) => [member.id, member]));
  const planned = new Map(steps.map((step) => [step.slot.id, step]));
  return situations.map((situation) => {
    const { slot } = situation;
    const member = members.get(slot.id);
    const step = planned.get(slot.id);
    return {
      slot: slot.id,
      role: slot.role,
      group: slot.group ?? null,
      life: lifeOf(situation),
      state: member?.state ?? "out of the registry",
      address: member ? addressOf(member.host, member.port) : null,
      generation: member?.generation ?? null,
      pid: situation.found?.pid ?? null,
      step: step ? `${step.kind}: ${step.reason}` : null,
    };
  });
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
function addressOf(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function lifeOf({ healing, wish, found }: Situation): string {
  if (healing) return "healing";
  if (wish?.kind === "stopped" && found?.life.kind !== "running") return "stopped on purpose";
  return found?.life.kind ?? "absent";
}
