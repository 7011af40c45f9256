// Pure. The status page: the slots and the latest incidents as two tables, rendered here, without scripts; it reloads itself
// every two seconds. Narrow screens do without the columns that matter least.

import { takesTraffic } from "../../services/runtime/roles.ts";
import type { IncidentSummary } from "../incidents/incident.ts";
import type { SlotRow } from "./schema.ts";
import { lifeShown, nextShown, type RoundState, rowsOf, tookMs, utc } from "./view.ts";

const INCIDENTS_SHOWN = 10;

const STYLE = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
    --good: light-dark(#1f7a3a, #5fce85); --odd: light-dark(#a85b00, #f0a648); --bad: light-dark(#b3261e, #ff8a80); --line: #8884 }
  body { margin: 2rem auto; max-width: 72rem; padding: 0 1rem }
  h1 { font-size: 1.4rem; margin: 0 }
  h2 { font-size: 1.1rem; margin: 2rem 0 0 }
  p { margin: .25rem 0 1rem }
  table { border-collapse: collapse; width: 100% }
  thead th { font-weight: 500; font-size: .85em; opacity: .75 }
  th, td { text-align: left; vertical-align: top; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line) }
  th:last-child, td:last-child { padding-right: 0 }
  tbody th { font-weight: 600; white-space: nowrap }
  td.address, td.when { font-family: ui-monospace, monospace; font-size: .9em; white-space: nowrap }
  td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
  th.number { text-align: right }
  td.slot, td.serving { white-space: nowrap }
  .serving::before, .good::before { content: "\\25cf\\a0"; color: var(--good) }
  .other::before { content: "\\25cb\\a0"; color: var(--odd) }
  .bad::before { content: "\\25cf\\a0"; color: var(--bad) }
  td.odd { color: var(--odd) }
  @media (max-width: 44rem) {
    :root { font-size: 13px } body { margin-top: 1rem } .wide { display: none } th, td { padding-right: .6rem } td.when { white-space: normal }
  }
`;

/** A column that narrow screens do without is "wide". */
const SLOT_COLUMNS = [
  ["Slot"],
  ["Group", "wide"],
  ["Traffic"],
  ["Address", "wide"],
  ["Life"],
  ["Generation", "wide number"],
  ["Next step"],
] as const;
const INCIDENT_COLUMNS = [["When (UTC)"], ["Slot"], ["Cause"], ["Took", "number"], ["Outcome"]] as const;

export function statusPage(state: RoundState, incidents: readonly IncidentSummary[]): string {
  const rows = rowsOf(state);
  const serving = rows.filter(({ state }) => state === "serving").length;
  const taking = rows.filter(({ role }) => takesTraffic(role)).length;
  const latest = incidents.slice(0, INCIDENTS_SHOWN);
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="2">
<title>Evenkeel: ${serving} of ${taking} serving</title><style>${STYLE}</style></head>
<body><h1>Evenkeel</h1>
<p class="${mood(serving, taking)}">${headline(serving, taking)} Registry version ${state.registry.version}.</p>
${failing(state.failing)}${table(SLOT_COLUMNS, rows.map(slotRow))}
<h2>Latest incidents</h2>
${latest.length === 0 ? "<p>None yet.</p>" : table(INCIDENT_COLUMNS, latest.map(incidentRow))}
</body></html>
`;
}

/** Nobody at all is an outage, unless nothing is known yet, as just behind a start. */
function mood(serving: number, taking: number): "good" | "other" | "bad" {
  if (taking === 0) return "other";
  if (serving === 0) return "bad";
  return serving === taking ? "good" : "other";
}

function headline(serving: number, taking: number): string {
  return taking === 0 ? "No members are known yet." : `${serving} of ${taking} members serve.`;
}

/** What follows may be old then. */
function failing(reason: string | undefined): string {
  return reason === undefined
    ? ""
    : `<p class="bad">The watchdog's rounds fail, and nothing is healed: ${asText(reason)}</p>\n`;
}

function table(columns: readonly (readonly [string, string?])[], rows: readonly string[]): string {
  const heads = columns.map(([title, shape = ""]) => `<th scope="col" class="${shape}">${title}</th>`).join("");
  return `<table><thead><tr>${heads}</tr></thead>\n<tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

function slotRow(row: SlotRow): string {
  const { slot, role, group, state, address, generation, held, paused, restarts } = row;
  const usual = !held && !paused && restarts.kind === "normal";
  const cells = [
    cell(group ?? "", "wide"),
    role === "client" ? cell("", "none") : cell(state, state === "serving" ? "serving" : "other"),
    cell(address ?? "", "address wide"),
    cell(lifeShown(row), usual ? "life" : "life odd"),
    cell(String(generation ?? ""), "wide number"),
    cell(nextShown(row), "next"),
  ];
  return `<tr><th scope="row">${asText(slot)}</th>${cells.join("")}</tr>`;
}

function incidentRow({ slot, cause, times, outcome, failure }: IncidentSummary): string {
  const took = tookMs(times);
  const shape = { healed: "good", failed: "bad", "under-way": "other" }[outcome];
  const cells = [
    cell(slot, "slot"),
    cell(cause, "cause"),
    cell(took === undefined ? "" : `${took} ms`, "number"),
    cell(failure === undefined ? outcome.replace("-", " ") : `${outcome}: ${failure}`, shape),
  ];
  return `<tr><td class="when">${utc(times.detectedMs)}</td>${cells.join("")}</tr>`;
}

function cell(text: string, shape: string): string {
  return `<td class="${shape}">${asText(text)}</td>`;
}

/** Ids and reasons come from containers and engines: they are text, never markup. */
function asText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
