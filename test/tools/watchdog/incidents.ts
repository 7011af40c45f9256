// Incidents made by hand, by the course that the watchdog lets them take. Times are small numbers that the tests choose.

import { advanced, begun, type IncidentStart, type IncidentStep } from "../../../watchdog/incidents/course.ts";
import type { Incident } from "../../../watchdog/incidents/incident.ts";
import { slotOf } from "./slot-states.ts";

export const beginning: IncidentStart = {
  number: 7,
  slot: slotOf("server-4"),
  cause: "it exited with code 137 (signal 9)",
  exit: { code: 137, oom: false },
  replaced: "old",
  log: ["listening", "one more request"],
  detectedMs: 1_000,
  decidedMs: 1_010,
};

export const created: IncidentStep = { kind: "created", successor: "new", atMs: 1_200 };
export const started: IncidentStep = { kind: "started", atMs: 1_400 };
export const ready: IncidentStep = { kind: "ready", atMs: 1_700 };
export const inTraffic: IncidentStep = { kind: "in-traffic", changes: ["port: 9004 > 9005"], atMs: 1_750 };
export const failed: IncidentStep = { kind: "failed", reason: "no such image", atMs: 1_800 };
/** All that a heal goes through that ends well. */
export const wholeCourse: readonly IncidentStep[] = [created, started, ready, inTraffic];

/** An incident that has taken these steps. */
export function incidentAfter(steps: readonly IncidentStep[], changes: Partial<IncidentStart> = {}): Incident {
  return steps.reduce(advanced, begun({ ...beginning, ...changes }));
}
