// Pure. The timeline of incidents: what happened to which slot, what became of it, and how long each phase of the heal took.

import { durations } from "../../incidents/durations.ts";
import type { IncidentSummary } from "../../incidents/incident.ts";
import type { Severity } from "../document/document.ts";
import { agoShown, dayShown } from "./format.ts";
import { mark, section } from "./pieces.ts";
import { h, type PageElement } from "./tree.ts";
import type { Viewed } from "./viewed.ts";

const OUTCOMES: Readonly<Record<IncidentSummary["outcome"], readonly [Severity, string]>> = {
  healed: ["good", "healed"],
  failed: ["bad", "failed"],
  "under-way": ["odd", "under way"],
};

const PHASES = ["decide", "create", "start", "ready", "traffic"] as const;
const BAR = { width: 300, height: 10 } as const;

export function incidentsView({ incidents, nowMs }: Viewed): PageElement {
  const list = h("ol", { class: "timeline" }, ...incidents.map((incident) => incidentView(incident, nowMs)));
  return section("incidents", "Incidents", incidents.length === 0 ? h("p", { class: "none" }, "None yet.") : list);
}

function incidentView(incident: IncidentSummary, nowMs: number): PageElement {
  const { number, slot, cause, times } = incident;
  return h(
    "li",
    { key: String(number) },
    h(
      "time",
      { datetime: new Date(times.detectedMs).toISOString(), title: `${dayShown(times.detectedMs)} UTC` },
      `${agoShown(nowMs - times.detectedMs)} ago`,
    ),
    h(
      "div",
      {},
      h("a", { href: `/incidents/${number}` }, `${slot}: ${cause}`),
      " ",
      ...outcomeOf(incident, nowMs),
      phasesView(incident),
    ),
  );
}

export function outcomeOf({ outcome, times, failure }: IncidentSummary, nowMs: number): PageElement[] {
  const [severity, text] = OUTCOMES[outcome];
  const endMs = times.inTrafficMs ?? times.failedMs ?? nowMs;
  const took = `${outcome === "under-way" ? "for" : "in"} ${tookShown(endMs - times.detectedMs)}`;
  return [mark(severity, text, " ", took), ...(failure === undefined ? [] : [h("span", { class: "why" }, failure)])];
}

function tookShown(ms: number): string {
  return ms < 10_000 ? `${Math.max(0, Math.round(ms))} ms` : agoShown(ms);
}

/** One bar, a piece a phase; their times in words beside it. */
export function phasesView(incident: IncidentSummary): PageElement | undefined {
  const taken = durations(incident);
  const reached = PHASES.filter((phase) => taken[phase] !== undefined);
  if (reached.length === 0) return undefined;
  const total = reached.reduce((sum, phase) => sum + (taken[phase] ?? 0), 0);
  let x = 0;
  const pieces = reached.map((phase) => {
    const width = total === 0 ? 0 : ((taken[phase] ?? 0) / total) * BAR.width;
    const piece = h("rect", { class: phase, x: x.toFixed(1), y: 0, width: width.toFixed(1), height: BAR.height });
    x += width;
    return piece;
  });
  const words = reached.map((phase) => h("span", { class: `phase ${phase}` }, `${phase} ${taken[phase]} ms`));
  return h(
    "div",
    { class: "phases" },
    h(
      "svg",
      { viewBox: `0 0 ${BAR.width} ${BAR.height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      ...pieces,
    ),
    h("span", { class: "words" }, ...words),
  );
}
