// Pure. Which charts a summary gives: file names and SVG texts. A chart that has nothing to show is not made.

import type { Figure } from "../sample.ts";
import { labelOf } from "../scenarios.ts";
import type { Row, Spread } from "../summary.ts";
import type { Chart, Point, Series } from "./chart.ts";
import { barChart, dotChart, lineChart } from "./kinds.ts";

export interface Plot {
  readonly file: string;
  readonly svg: string;
}

const GROWN = /^(proxies|servers)-(\d+)$/;
const KILOBYTE = 1_000;

export function plotsOf(rows: readonly Row[], baseline: string): Plot[] {
  return new Plots(rows, baseline).all();
}

/** Colours go by the order of the stacks: the same one everywhere; the second one is the baseline's. */
class Plots {
  readonly #rows: readonly Row[];
  readonly #baseline: string;
  readonly #stacks: readonly string[];

  constructor(rows: readonly Row[], baseline: string) {
    this.#rows = rows;
    this.#baseline = baseline;
    const stacks = unique(rows.map(({ stack }) => stack));
    const [first = baseline, ...others] = stacks.filter((stack) => stack !== baseline);
    this.#stacks = [first, baseline, ...others];
  }

  all(): Plot[] {
    return [
      ...this.#ratios({ file: "requests.svg", title: "Requests a second", figure: "requestsPerSecond" }),
      ...this.#ratios({ file: "cpu.svg", title: "Processor time a request", figure: "cpuUs" }),
      ...this.#ratios({ file: "p99.svg", title: "99th percentile of latency", figure: "p99Ms" }),
      ...this.#bars({ file: "idle.svg", figure: "bytesPerConnection", scenario: "idle", divisor: KILOBYTE, ...IDLE }),
      ...this.#bars({ file: "memory.svg", figure: "residentMb", scenario: "get-512", divisor: 1, ...MEMORY }),
      ...this.#parts({ file: "cold.svg", scenario: "cold", figure: "cpuUs", scale: "logarithmic", ...COLD }),
      ...this.#parts({ file: "overload.svg", scenario: "overload", figure: "goodShare", scale: "linear", ...OVERLOAD }),
      ...this.#parts({
        file: "overload-p99.svg",
        scenario: "overload",
        figure: "p99Ms",
        scale: "logarithmic",
        ...LATE,
      }),
      ...this.#growth("proxies"),
      ...this.#growth("servers"),
    ];
  }

  /** A figure of every steady scenario, relative to the baseline's. */
  #ratios({ file, title, figure }: { readonly file: string; readonly title: string; readonly figure: Figure }): Plot[] {
    const shown = this.#rows.filter(
      ({ scenario, part, ratios }) => part === "" && !GROWN.test(scenario) && ratios[figure] !== undefined,
    );
    const series = this.#seriesOf(shown, (row) => pointOf(labelOf(row.scenario), row.ratios[figure])).filter(
      ({ name }) => name !== this.#baseline,
    );
    if (series.length === 0) return [];
    const labels = unique(shown.map(({ scenario }) => labelOf(scenario)));
    const axis = `relative to ${this.#baseline} in the same round: median, least and most; below, ${this.#stacks[0]} in figures`;
    const base = { value: 1, name: this.#baseline };
    return [{ file, svg: dotChart({ title, axis, labels, series, scale: "logarithmic", base }) }];
  }

  /** A figure of one scenario, part after part. */
  #parts(one: Looks & Pick<Chart, "scale" | "across"> & { readonly scenario: string }): Plot[] {
    const { file, scenario, figure, title, axis, scale, across } = one;
    const own = this.#rows.filter((row) => row.scenario === scenario && row.figures[figure] !== undefined);
    if (own.length === 0) return [];
    const series = this.#seriesOf(own, (row) => pointOf(row.part, row.figures[figure]));
    const labels = unique(own.map(({ part }) => part));
    return [{ file, svg: lineChart({ title, axis, labels, series, scale, ...(across && { across }) }) }];
  }

  /** Processor time a request against the number of members, as a multiple of the stack's own with the fewest. */
  #growth(members: "proxies" | "servers"): Plot[] {
    const own = this.#rows.filter(({ scenario }) => GROWN.exec(scenario)?.[1] === members);
    const count = ({ scenario }: Row) => GROWN.exec(scenario)?.[2] ?? "";
    const labels = unique(own.map(count));
    if (labels.length < 2) return [];
    const series = this.#seriesOf(own, (row) => pointOf(count(row), row.figures.cpuUs)).map(({ points, ...rest }) => {
      const first = points[0]?.value || 1;
      return { ...rest, points: points.map(({ label, value }) => ({ label, value: value / first })) };
    });
    const title = `Cost as ${members} grow in number`;
    const axis = `processor time a request, as a multiple of the same proxy's with ${labels[0]} ${members}`;
    const chart: Chart = { title, axis, across: members, labels, series, scale: "linear" };
    return [{ file: `${members}.svg`, svg: lineChart(chart) }];
  }

  #bars(one: Looks & { readonly scenario: string; readonly divisor: number }): Plot[] {
    const { file, scenario, figure, title, axis, divisor } = one;
    const own = this.#rows.filter((row) => row.scenario === scenario && row.figures[figure] !== undefined);
    if (own.length === 0) return [];
    const value = ({ figures }: Row) => (figures[figure]?.median ?? 0) / divisor;
    const series = this.#seriesOf(own, (row) => ({ label: narrow(row.stack), value: value(row) }));
    const labels = this.#stacks.filter((stack) => own.some((row) => row.stack === stack)).map(narrow);
    return [{ file, svg: barChart({ title, axis, labels, series, scale: "linear" }) }];
  }

  #seriesOf(rows: readonly Row[], read: (row: Row) => Point | undefined): Series[] {
    const all = this.#stacks.map((name, colour) => {
      const own = rows.filter(({ stack }) => stack === name);
      return { name, colour, points: own.flatMap((row) => read(row) ?? []) };
    });
    return all.filter(({ points }) => points.length > 0);
  }
}

interface Looks {
  readonly file: string;
  readonly figure: Figure;
  readonly title: string;
  readonly axis: string;
}

const IDLE = { title: "Memory of an idle connection", axis: "kB each, of 10,000 connections, over all tiers" };
const MEMORY = { title: "Memory under load", axis: "resident MB of balancer and proxies together, at 512 connections" };
const COLD = {
  title: "The first seconds after a start",
  axis: "processor time a request in µs, over slices of 3 s",
  across: "after the start",
};
const OFFERED = "load offered, in multiples of the stack's own capacity; last: half of it, just after";
const OVERLOAD = { title: "Overload: good answers", axis: "share of what could be served at best", across: OFFERED };
const LATE = { title: "Overload: latency", axis: "99th percentile of the good answers, in ms", across: OFFERED };

function pointOf(label: string, spread: Spread | undefined): Point | undefined {
  return spread && { label, value: spread.median, min: spread.min, max: spread.max };
}

/** A long name on two lines. */
const narrow = (name: string) => (name.length < 16 ? name : name.replace(/-(?=[^-]+$)/, "-\n"));
const unique = (values: readonly string[]) => [...new Set(values)];
