// Pure. Incidents as text: a table of many, or all of one with its times as a timeline.

import { plain, table } from "../../services/command-line/text-table.ts";
import type { IncidentDocument, IncidentList } from "../api/schema.ts";
import { tookMs, utc } from "../api/view.ts";
import type { Incident, IncidentTimes, MemberExit } from "../incidents/incident.ts";

const COLUMNS = [
  { title: "NUMBER", align: "right" },
  { title: "WHEN (UTC)" },
  { title: "SLOT" },
  { title: "OUTCOME" },
  { title: "TOTAL MS", align: "right" },
  { title: "CAUSE" },
] as const;

const STAGES = [
  ["detected", "detectedMs"],
  ["decided", "decidedMs"],
  ["created", "createdMs"],
  ["started", "startedMs"],
  ["ready", "readyMs"],
  ["in traffic", "inTrafficMs"],
  ["failed", "failedMs"],
] as const satisfies readonly (readonly [string, keyof IncidentTimes])[];

export function incidentsText({ incidents }: IncidentList): string {
  if (incidents.length === 0) return "no incidents";
  const rows = incidents.map(({ number, times, slot, outcome, cause }) => {
    return [String(number), utc(times.detectedMs), slot, said(outcome), String(tookMs(times) ?? "-"), cause];
  });
  return table(COLUMNS, rows);
}

export function incidentText(incident: IncidentDocument): string {
  const { number, slot, outcome, times, cause, exit, failure, replaced, successor, changes } = incident;
  const took = tookMs(times);
  const lines: readonly (readonly [string, string | undefined])[] = [
    ["cause", cause],
    ["exit", exit && exitText(exit)],
    ["failure", failure],
    ["replaced", replaced],
    ["by", successor],
    ...changes.map((change) => ["changed", change] as const),
  ];
  return [
    `incident ${number}: ${plain(slot)} ${said(outcome)}${took === undefined ? "" : ` in ${took} ms`}`,
    "",
    ...lines.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(10)}${plain(value)}`])),
    "",
    timeline(times),
    "",
    ...lastWords(incident),
  ].join("\n");
}

/** Each stage that was reached: when, how long after the detection, and how long after the one before. */
function timeline(times: IncidentTimes): string {
  const reached = STAGES.flatMap(([stage, key]) => {
    const ms = times[key];
    return ms === undefined ? [] : [{ stage, ms }];
  });
  const rows = reached.map(({ stage, ms }, index) => {
    const before = reached[index - 1];
    return [
      stage,
      new Date(ms).toISOString().slice(11, 23),
      `${ms - times.detectedMs}`,
      before ? `+${ms - before.ms}` : "",
    ];
  });
  const columns = [
    { title: "STAGE" },
    { title: utc(times.detectedMs).slice(0, 10) },
    { title: "MS", align: "right" },
    { title: "STEP MS", align: "right" },
  ] as const;
  return table(columns, rows);
}

function lastWords({ log, logWithheld }: IncidentDocument): string[] {
  if (logWithheld !== undefined) return [logWithheld];
  if (log.length === 0) return ["of the one before no log is kept"];
  const head = log.length === 1 ? "the last line" : `the last ${log.length} lines`;
  return [`${head} of the one before:`, ...log.map((line) => `  ${plain(line)}`)];
}

function exitText({ code, signal, oom }: MemberExit): string {
  const parts = [code !== undefined && `code ${code}`, signal, oom && "out of memory (OOM)"].filter(Boolean);
  return parts.length === 0 ? "unknown" : parts.join(", ");
}

function said(outcome: Incident["outcome"]): string {
  return outcome.replace("-", " ");
}
