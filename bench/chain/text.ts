// Pure. A summary as text: one table for each part of each scenario, one line a stack. Ratios lead, since they alone mean
// something on another machine.

import type { Figure } from "./sample.ts";
import type { Scenario } from "./scenarios.ts";
import type { Row, Spread } from "./summary.ts";

interface Column {
  readonly title: string;
  readonly cell: (row: Row) => string | undefined;
}

const columns = (baseline: string): readonly Column[] => [
  { title: `requests/s to ${baseline}`, cell: (row) => ratio(row, "requestsPerSecond") },
  { title: "CPU a request", cell: (row) => ratio(row, "cpuUs") },
  { title: "p99", cell: (row) => ratio(row, "p99Ms") },
  { title: "p99 ms", cell: (row) => plain(row, "p99Ms", 1) },
  { title: "good", cell: (row) => percent(row, "goodShare") },
  { title: "503", cell: (row) => percent(row, "rejectedShare") },
  { title: "503 p99 ms", cell: (row) => plain(row, "rejectedP99Ms", 1) },
  { title: "lost", cell: (row) => percent(row, "lostShare") },
  { title: "failed", cell: (row) => percent(row, "failedShare", 2) },
  { title: "bytes each", cell: (row) => plain(row, "bytesPerConnection", 0) },
  { title: "MB", cell: (row) => plain(row, "residentMb", 0) },
];

/** The lines of the report. */
export function reportOf(rows: readonly Row[], scenarios: readonly Scenario[], baseline: string): string[] {
  return scenarios.flatMap(({ name, about }) => {
    const own = rows.filter(({ scenario }) => scenario === name);
    const parts = [...new Set(own.map(({ part }) => part))];
    return parts.flatMap((part) => {
      const title = part === "" ? `${name}: ${about}` : `${name}, ${part}: ${about}`;
      return [
        "",
        title,
        ...table(
          own.filter((row) => row.part === part),
          columns(baseline),
        ),
      ];
    });
  });
}

/** Columns that nobody has a figure for are left out. */
function table(rows: readonly Row[], all: readonly Column[]): string[] {
  const used = all.filter(({ cell }) => rows.some((row) => cell(row) !== undefined));
  const lines = [
    ["", ...used.map(({ title }) => title)],
    ...rows.map((row) => [row.stack, ...used.map(({ cell }) => cell(row) ?? "-")]),
  ];
  const widths = ["", ...used].map((_, index) => Math.max(...lines.map((line) => (line[index] as string).length)));
  const aligned = lines.map(
    (line) => `  ${line.map((cell, index) => cell.padEnd(widths[index] as number)).join("  ")}`,
  );
  const wrong = rows.flatMap((row) => row.wrong.map((what) => `  WRONG ${row.stack}: ${what}`));
  return [...aligned.map((line) => line.trimEnd()), ...wrong];
}

function ratio(row: Row, figure: Figure): string | undefined {
  const spread = row.ratios[figure];
  return spread && `${significant(spread.median)} (${significant(spread.min)}-${significant(spread.max)})`;
}

function plain({ figures }: Row, figure: Figure, digits: number): string | undefined {
  return figures[figure]?.median.toFixed(digits);
}

function percent({ figures }: Row, figure: Figure, digits = 0): string | undefined {
  const spread: Spread | undefined = figures[figure];
  // A share of nothing in every round is the normal case, not worth a column.
  if (spread === undefined || spread.max === 0) return undefined;
  return `${(spread.median * 100).toFixed(digits)} %`;
}

const significant = (value: number) => (value >= 10 ? value.toFixed(1) : value.toFixed(2));
