// Pure. The course of an incident: (what a heal begins with) -> the incident, then (incident, step reached) -> the incident.
//
//   under-way  --created, started, ready-->  under-way
//   under-way  --in-traffic-------------->  healed
//   under-way  --failed------------------>  failed
//
// A step that was reached, or that a later one has overtaken, is not set again; an incident that has ended does not change.

import type { Slot } from "../desired/slot.ts";
import type { Life } from "../engines/discovery.ts";
import type { Incident, IncidentTimes, MemberExit } from "./incident.ts";

/** What is known when a heal is decided. */
export interface IncidentStart extends Pick<Incident, "number" | "cause" | "log"> {
  readonly slot: Slot;
  readonly exit: MemberExit | undefined;
  readonly replaced: string | undefined;
  readonly detectedMs: number;
  readonly decidedMs: number;
}

export type IncidentStep =
  | { readonly kind: "created"; readonly atMs: number; readonly successor: string }
  | { readonly kind: "started" | "ready"; readonly atMs: number }
  | { readonly kind: "in-traffic"; readonly atMs: number; readonly changes: readonly string[] }
  | { readonly kind: "failed"; readonly atMs: number; readonly reason: string };

type StepTime = "createdMs" | "startedMs" | "readyMs" | "inTrafficMs";
const stepTimes: readonly StepTime[] = ["createdMs", "startedMs", "readyMs", "inTrafficMs"];

export function begun({ number, slot, cause, exit, replaced, log, detectedMs, decidedMs }: IncidentStart): Incident {
  return {
    number,
    slot: slot.id,
    role: slot.role,
    cause,
    ...(exit && { exit }),
    ...(replaced === undefined ? {} : { replaced }),
    times: { detectedMs, decidedMs: notBefore({ detectedMs }, decidedMs) },
    outcome: "under-way",
    changes: [],
    log,
  };
}

/** How a member has ended; undefined while it has not. */
export function exitOf(life: Life | undefined): MemberExit | undefined {
  if (life?.kind !== "exited") return undefined;
  const { code, signal, oom } = life;
  return { ...(code === undefined ? {} : { code }), ...(signal === undefined ? {} : { signal }), oom };
}

export function advanced(incident: Incident, step: IncidentStep): Incident {
  if (incident.outcome !== "under-way") return incident;
  const { kind, atMs } = step;
  switch (kind) {
    case "created":
      return reached({ ...incident, successor: step.successor }, "createdMs", atMs) ?? incident;
    case "started":
      return reached(incident, "startedMs", atMs) ?? incident;
    case "ready":
      return reached(incident, "readyMs", atMs) ?? incident;
    case "in-traffic":
      return (
        reached(
          { ...incident, outcome: "healed", changes: [...incident.changes, ...step.changes] },
          "inTrafficMs",
          atMs,
        ) ?? incident
      );
    case "failed": {
      const times = { ...incident.times, failedMs: notBefore(incident.times, atMs) };
      return { ...incident, outcome: "failed", failure: step.reason, times };
    }
    default:
      return kind satisfies never;
  }
}

/** Undefined when the step was reached or overtaken before. */
function reached(incident: Incident, time: StepTime, atMs: number): Incident | undefined {
  const { times } = incident;
  const past = stepTimes.slice(stepTimes.indexOf(time)).some((each) => times[each] !== undefined);
  return past ? undefined : { ...incident, times: { ...times, [time]: notBefore(times, atMs) } };
}

/** The clock may be set back in the middle of a heal; its steps stay in order. */
function notBefore(times: Partial<IncidentTimes>, atMs: number): number {
  return Math.max(atMs, ...Object.values(times));
}
