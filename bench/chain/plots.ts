// Pure. Which charts a summary gives: file names and SVG texts. A chart that has nothing to show is not made.

import type { Figure } from "./sample.ts";
import type { Row, Spread } from "./summary.ts";
import { barChart, type Chart, lineChart, type Point, type Series } from "./svg.ts";

/** A library that needs ten times the processor time must not flatten everything else. */
const RATIO_TOP = 5;

export interface Plot {
  readonly file: string;
  readonly svg: string;
}

export function plotsOf(rows: readonly Row[], baseline: string): Plot[] {
  const whole = rows.filter(({ part }) => part === "");
  const measured = whole.filter(({ figures }) => figures.requestsPerSecond !== undefined);
  const steady = measured.filter(({ scenario }) => !/^(proxies|servers)-/.test(scenario));
  const bars = (file: string, title: string, figure: Figure): Plot[] => {
    const chart = byScenario(steady, { title, axis: `relative to ${baseline}; lines: least to most`, figure });
    return chart.series.length === 0 ? [] : [{ file, svg: barChart({ ...chart, reference: 1, top: RATIO_TOP }) }];
  };
  return [
    ...bars("requests.svg", "Requests a second", "requestsPerSecond"),
    ...bars("cpu.svg", "Processor time a request", "cpuUs"),
    ...bars("p99.svg", "99th percentile of latency", "p99Ms"),
    ...memory(whole),
    ...lines(rows, { scenario: "cold", file: "cold.svg", figure: "cpuUs", ...COLD }),
    ...lines(rows, { scenario: "overload", file: "overload.svg", figure: "goodShare", ...OVERLOAD }),
    ...growth(whole, "proxies"),
    ...growth(whole, "servers"),
  ];
}

const COLD = { title: "The first seconds after a start", axis: "processor time a request in µs, second by second" };
const OVERLOAD = {
  title: "Open loop: good answers",
  axis: "share of what could be served, by load offered to capacity",
};

interface Looks {
  readonly title: string;
  readonly axis: string;
  readonly figure: Figure;
}

function byScenario(rows: readonly Row[], { title, axis, figure }: Looks): Chart {
  const shown = rows.filter(({ ratios }) => ratios[figure] !== undefined);
  const series = seriesOf(shown, (row) => pointOf(row.scenario, row.ratios[figure]));
  return { title, axis, labels: unique(shown.map(({ scenario }) => scenario)), series };
}

function lines(rows: readonly Row[], one: Looks & { readonly scenario: string; readonly file: string }): Plot[] {
  const own = rows.filter(({ scenario, figures }) => scenario === one.scenario && figures[one.figure] !== undefined);
  if (own.length === 0) return [];
  const series = seriesOf(own, (row) => pointOf(row.part, row.figures[one.figure]));
  const labels = unique(own.map(({ part }) => part));
  return [{ file: one.file, svg: lineChart({ title: one.title, axis: one.axis, labels, series }) }];
}

/** Processor time a request against the number of members, as a multiple of the stack's own with the fewest. */
function growth(rows: readonly Row[], members: "proxies" | "servers"): Plot[] {
  const own = rows.filter(({ scenario }) => scenario.startsWith(`${members}-`));
  const labels = unique(own.map(({ scenario }) => scenario));
  if (labels.length < 2) return [];
  const series = seriesOf(own, (row) => pointOf(row.scenario, row.figures.cpuUs)).map(({ name, points }) => {
    const first = points[0]?.value || 1;
    return { name, points: points.map(({ label, value }) => ({ label, value: value / first })) };
  });
  const title = `Cost as ${members} grow in number`;
  const axis = `processor time a request, to that with the fewest ${members}`;
  return [{ file: `${members}.svg`, svg: lineChart({ title, axis, labels, series, reference: 1 }) }];
}

function memory(rows: readonly Row[]): Plot[] {
  const idle = rows.filter(({ figures }) => figures.bytesPerConnection !== undefined);
  if (idle.length === 0) return [];
  const series = seriesOf(idle, (row) => pointOf(row.scenario, row.figures.bytesPerConnection));
  const [title, axis] = ["Memory of an idle connection", "bytes"];
  return [
    { file: "idle.svg", svg: barChart({ title, axis, labels: unique(idle.map(({ scenario }) => scenario)), series }) },
  ];
}

function seriesOf(rows: readonly Row[], read: (row: Row) => Point | undefined): Series[] {
  return unique(rows.map(({ stack }) => stack)).map((name) => {
    const own = rows.filter(({ stack }) => stack === name);
    return { name, points: own.flatMap((row) => read(row) ?? []) };
  });
}

function pointOf(label: string, spread: Spread | undefined): Point | undefined {
  return spread && { label, value: spread.median, min: spread.min, max: spread.max };
}

const unique = (values: readonly string[]) => [...new Set(values)];
