// Pure. How long each phase of an incident took: (incident) -> milliseconds by phase. The phases are also the labels of
// evenkeel_heal_phase_seconds.

import type { Incident, IncidentTimes } from "./incident.ts";

export const phases = ["decide", "create", "start", "ready", "traffic", "total"] as const;
type Phase = (typeof phases)[number];

/** Milliseconds; a phase whose begin or end was not reached is absent. */
export type Durations = { readonly [P in Phase]?: number };

const ends: Readonly<Record<Phase, readonly [from: keyof IncidentTimes, to: keyof IncidentTimes]>> = {
  decide: ["detectedMs", "decidedMs"],
  create: ["decidedMs", "createdMs"],
  /** It includes the end of the member before: the successor starts when that one is gone. */
  start: ["createdMs", "startedMs"],
  ready: ["startedMs", "readyMs"],
  traffic: ["readyMs", "inTrafficMs"],
  total: ["detectedMs", "inTrafficMs"],
};

export function durations({ times }: Pick<Incident, "times">): Durations {
  const taken = phases.flatMap((phase) => {
    const [from, to] = ends[phase].map((time) => times[time]);
    return from === undefined || to === undefined ? [] : [[phase, to - from]];
  });
  return Object.fromEntries(taken);
}
