// Pure. A summary as text: one table for each part of each scenario, one line a stack, and one for each ratio over all of them.
// Ratios lead, since they alone mean something on another machine.

import type { Figure } from "./sample.ts";
import { scenarios } from "./scenarios.ts";
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
  { title: "in the balancer", cell: (row) => plain(row, "balancerBytesPerConnection", 0) },
  { title: "MB/s", cell: (row) => plain(row, "megabytesPerSecond", 0) },
  { title: "MB", cell: (row) => plain(row, "residentMb", 0) },
  { title: "balancer MB", cell: (row) => plain(row, "balancerMb", 1) },
  { title: "largest proxy MB", cell: (row) => plain(row, "proxyMb", 1) },
  { title: "a tier grew by MB", cell: (row) => plain(row, "grownMb", 1) },
];

/** Of each of these one table at the end: scenarios down, stacks across. */
const overview: readonly { readonly title: string; readonly figure: Figure }[] = [
  { title: "Requests a second", figure: "requestsPerSecond" },
  { title: "Processor time a request", figure: "cpuUs" },
  { title: "99th percentile of latency", figure: "p99Ms" },
];

/** The lines of the report, in the order of the rows. Tables are Markdown. */
export function reportOf(rows: readonly Row[], baseline: string): string[] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const title = row.part === "" ? row.scenario : `${row.scenario}, ${row.part}`;
    groups.set(title, [...(groups.get(title) ?? []), row]);
  }
  const parts = [...groups].flatMap(([title, own]) => {
    const about = scenarios.find(({ name }) => name === own[0]?.scenario)?.about ?? "";
    const wrong = own.flatMap((row) => row.wrong.map((what) => `WRONG ${row.stack}: ${what}`));
    return ["", `${title}: ${about}`, "", ...byStack(own, columns(baseline)), ...wrong];
  });
  return [...parts, ...overview.flatMap((one) => byScenario(rows, baseline, one))];
}

/** Columns that nobody has a figure for are left out. */
function byStack(rows: readonly Row[], all: readonly Column[]): string[] {
  const used = all.filter(({ cell }) => rows.some((row) => cell(row) !== undefined));
  return table([
    ["", ...used.map(({ title }) => title)],
    ...rows.map((row) => [row.stack, ...used.map(({ cell }) => cell(row) ?? "-")]),
  ]);
}

function byScenario(rows: readonly Row[], baseline: string, { title, figure }: (typeof overview)[number]): string[] {
  const own = rows.filter(({ part, ratios }) => part === "" && ratios[figure] !== undefined);
  const stacks = [...new Set(own.map(({ stack }) => stack))].filter((stack) => stack !== baseline);
  const names = [...new Set(own.map(({ scenario }) => scenario))];
  if (stacks.length === 0 || names.length < 2) return [];
  const cell = (name: string, stack: string) => {
    const row = own.find((each) => each.scenario === name && each.stack === stack);
    return (row && ratio(row, figure)) ?? "-";
  };
  const lines = names.map((name) => [name, ...stacks.map((stack) => cell(name, stack))]);
  return ["", `${title}, relative to ${baseline}`, "", ...table([["", ...stacks], ...lines])];
}

function table(lines: readonly (readonly string[])[]): string[] {
  const [head = [], ...rest] = lines;
  const widths = head.map((_, index) => Math.max(3, ...lines.map((line) => (line[index] as string).length)));
  const written = (line: readonly string[]) =>
    `| ${line.map((cell, index) => cell.padEnd(widths[index] as number)).join(" | ")} |`;
  return [written(head), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...rest.map(written)];
}

function ratio(row: Row, figure: Figure): string | undefined {
  const spread = row.ratios[figure];
  if (spread === undefined) return undefined;
  const { median, min, max } = spread;
  return min === max ? significant(median) : `${significant(median)} (${significant(min)}-${significant(max)})`;
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
