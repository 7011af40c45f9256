// Pure. The report of chaos as people read it, and the line of one fault while it goes on.

import { type Column, countLine, table } from "../../services/command-line/text-table.ts";
import type { ChaosReport, FaultRecord, KindReport } from "./report.ts";

const KIND_COLUMNS: readonly Column[] = [
  { title: "", width: 8 },
  ...["faults", "recovered", "p50 ms", "p99 ms", "max ms"].map(
    (title): Column => ({ title, width: 9, align: "right" }),
  ),
];

export function recordLine({ at, kind, slot, recovery, failedForMs }: FaultRecord): string {
  const failing = failedForMs === undefined ? "" : `, GETs failed up to ${failedForMs} ms after it`;
  return `${at.slice(11, 19)}  ${kind.padEnd(8)}${slot.padEnd(10)}${recoveryText({ recovery })}${failing}`;
}

export function reportText(report: ChaosReport): string {
  const { seed, versions, lastedMs, everyMs, rate, load, endedEarly, objections } = report;
  const ran = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const lines = [
    `chaos for ${seconds(lastedMs)}${endedEarly ? ", ended early" : ""}: a fault every ${everyMs} ms, seed ${seed} (${ran.join(", ")})`,
    "",
    kindTable(report),
    "",
    `${load.requests} GETs at ${rate} a second, ${load.failed} failed`,
    `latency p50 ${load.latencyMs.p50.toFixed(1)} ms, p99 ${load.latencyMs.p99.toFixed(1)} ms, max ${load.latencyMs.max.toFixed(1)} ms`,
    ...remarks(report),
    "",
    ...(objections.length === 0 ? [conclusion(report)] : []),
    ...objections.map((objection) => `FAILED: ${objection}`),
  ];
  return lines.join("\n");
}

function conclusion({ faults: { all } }: ChaosReport): string {
  const unseen = all.count - all.recovered;
  if (unseen === 0) return "passed: no GET failed, and everything recovered";
  return `passed as far as it went: no GET failed, and ${all.recovered} of ${all.count} were seen to recover`;
}

function remarks({ load, leftOut, passedOver, roles, records }: ChaosReport): string[] {
  const notDone = records.filter(({ recovery }) => recovery.kind === "not-done");
  return [
    ...Object.entries(load.failures).map(([outcome, count]) => countLine(count, outcome)),
    ...load.examples.map(({ at, outcome, waitedMs, requestId }) => {
      return `         ${at} ${outcome} after ${waitedMs} ms, request ${requestId}`;
    }),
    ...(passedOver > 0 ? [`${passedOver} times no fault was possible: the last complete route is left alone`] : []),
    ...(leftOut.length > 0 ? [`left out: ${leftOut.join(" and ")}, which plain processes do not have`] : []),
    ...(roles.includes("balancer")
      ? ["the balancer was a target: it alone holds its port, so GETs fail while it is gone"]
      : []),
    ...notDone.map((record) => `not done: ${recordLine(record)}`),
  ];
}

function recoveryText({ recovery }: Pick<FaultRecord, "recovery">): string {
  switch (recovery.kind) {
    case "recovered":
      return `recovered in ${recovery.ms} ms`;
    case "lost":
      return `did not recover in ${seconds(recovery.afterMs)}`;
    case "left":
      return `could not be made good: ${recovery.reason}`;
    case "not-done":
      return recovery.reason;
    case "not-awaited":
      return "was not waited for";
    default:
      return recovery satisfies never;
  }
}

function kindTable({ faults }: ChaosReport): string {
  const seen = Object.entries(faults).filter(([, { count }]) => count > 0);
  const rows = seen.map(([kind, each]) => kindRow(kind, each));
  return table(KIND_COLUMNS, rows);
}

function kindRow(kind: string, { count, recovered, recoveryMs }: KindReport): string[] {
  const { p50, p99, max } = recoveryMs ?? { p50: "-", p99: "-", max: "-" };
  return [kind, count, recovered, p50, p99, max].map(String);
}

const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
