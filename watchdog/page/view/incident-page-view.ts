// Pure. The page of one incident: what was wrong, when each step was reached, what changed, and what the dead member wrote last.

import type { IncidentDocument } from "../../api/schema.ts";
import { dayShown, instantShown } from "./format.ts";
import { outcomeOf, phasesView } from "./incidents-view.ts";
import { section } from "./pieces.ts";
import { h, type PageElement } from "./tree.ts";

const STEPS = [
  ["detectedMs", "detected"],
  ["decidedMs", "decided"],
  ["createdMs", "created"],
  ["startedMs", "started"],
  ["readyMs", "ready"],
  ["inTrafficMs", "in traffic"],
  ["failedMs", "failed"],
] as const;

export function incidentPageView(incident: IncidentDocument, nowMs: number): PageElement[] {
  const { number, slot, cause, changes } = incident;
  return [
    h(
      "header",
      { class: `top ${{ healed: "good", failed: "bad", "under-way": "odd" }[incident.outcome]}` },
      h(
        "div",
        { class: "who" },
        h("strong", {}, h("a", { href: "/" }, "Evenkeel")),
        h(
          "ul",
          { class: "facts" },
          h("li", {}, `incident ${number}`),
          h("li", {}, `detected ${dayShown(incident.times.detectedMs)} UTC`),
        ),
      ),
      h(
        "div",
        { class: "state" },
        h("h1", {}, `${slot}: ${cause}`),
        h("p", { class: "reason" }, ...outcomeOf(incident, nowMs)),
      ),
    ),
    h(
      "main",
      { id: "main" },
      section("phases", "Phases", phasesView(incident), timesView(incident)),
      section("facts", "What it was", factsView(incident)),
      section(
        "changes",
        "What changed",
        changes.length === 0
          ? h("p", { class: "none" }, "Nothing.")
          : h("ul", {}, ...changes.map((line) => h("li", {}, line))),
      ),
      section("log", "The last lines of the member before", logView(incident)),
    ),
  ];
}

function timesView({ times }: IncidentDocument): PageElement {
  const rows = STEPS.flatMap(([name, said]) => {
    const atMs = times[name];
    if (atMs === undefined) return [];
    return [
      h(
        "tr",
        {},
        h("th", { scope: "row" }, said),
        h("td", { class: "mono" }, instantShown(atMs)),
        h("td", { class: "number" }, `+${atMs - times.detectedMs} ms`),
      ),
    ];
  });
  return h(
    "table",
    { class: "times" },
    h("caption", { class: "unseen" }, "When each step was reached"),
    h("tbody", {}, ...rows),
  );
}

function factsView({ exit, replaced, successor, failure }: IncidentDocument): PageElement {
  const fact = (name: string, value: string | undefined) =>
    value === undefined ? [] : [h("dt", {}, name), h("dd", { class: "mono" }, value)];
  return h(
    "dl",
    { class: "known" },
    ...fact(
      "Exit",
      exit &&
        [exit.oom && "out of memory", exit.signal, exit.code !== undefined && `code ${exit.code}`]
          .filter(Boolean)
          .join(", "),
    ),
    ...fact("Replaced", replaced),
    ...fact("By", successor),
    ...fact("Failure", failure),
  );
}

function logView({ log, logWithheld }: IncidentDocument): PageElement {
  if (logWithheld !== undefined) return h("p", { class: "none" }, `Not shown: ${logWithheld}.`);
  if (log.length === 0) return h("p", { class: "none" }, "It had written nothing.");
  return h("pre", { tabindex: 0, role: "region", "aria-label": "Log" }, log.join("\n"));
}
