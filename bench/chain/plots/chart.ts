// Pure. What every chart has in common: its title and unit, its legend, the labels below it, and its axis of values, which is
// linear from zero or, for ratios and what differs by tens, logarithmic.

import { element, line, STYLE, seriesClass, text } from "./svg.ts";

export interface Point {
  readonly label: string;
  readonly value: number;
  readonly min?: number;
  readonly max?: number;
}

export interface Series {
  readonly name: string;
  /** Which colour it has: the same in all charts. */
  readonly colour: number;
  /** In the order of the chart's labels; a label that a series has no point for stays empty. */
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  /** What the values are, with their unit. */
  readonly axis: string;
  /** What the labels are, if they do not say so. */
  readonly across?: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  readonly scale: "linear" | "logarithmic";
  /** A horizontal line at this value, and what it stands for. */
  readonly base?: { readonly value: number; readonly name: string };
}

export const AREA = { left: 64, right: 876, top: 104, bottom: 356 } as const;
const WIDTH = 900;
const HEIGHT = 424;
const FONT = "system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif";
/** The width of a letter, as near as it matters for a legend. */
const LETTER = 7.2;
const TICKS = 5;

export interface Scale {
  readonly ticks: readonly number[];
  readonly y: (value: number) => number;
}

/** The width of one label's band, and where the n-th begins. */
export function bandsOf({ labels }: Chart): { readonly width: number; readonly left: (index: number) => number } {
  const width = (AREA.right - AREA.left) / Math.max(1, labels.length);
  return { width, left: (index) => AREA.left + index * width };
}

export function scaleOf(chart: Chart): Scale {
  const values = chart.series.flatMap(({ points }) =>
    points.flatMap(({ value, min = value, max = value }) => [min, value, max]),
  );
  if (chart.base !== undefined) values.push(chart.base.value);
  const ticks = chart.scale === "linear" ? linearTicks(Math.max(...values)) : logarithmicTicks(values);
  const place = chart.scale === "linear" ? (value: number) => value : (value: number) => Math.log(value);
  const [low, high] = [place(ticks[0] as number), place(ticks.at(-1) as number)];
  const share = (value: number) => (place(Math.max(value, ticks[0] as number)) - low) / (high - low);
  return { ticks, y: (value) => AREA.bottom - share(value) * (AREA.bottom - AREA.top) };
}

/** What stands around the content, beside what every chart has. */
export interface Surroundings {
  /** Below the labels, in the colour of the first stack. */
  readonly notes?: readonly string[];
  /** No legend and no axis: each value is written where it is. */
  readonly bare?: true;
}

export function frame(chart: Chart, content: readonly string[], { notes = [], bare }: Surroundings = {}): string {
  const scale = scaleOf(chart);
  return [
    opening(chart.title),
    STYLE,
    element("rect", { class: "ground", width: WIDTH, height: HEIGHT, rx: 8 }),
    text({ x: 24, y: 32, "font-size": 18, "font-weight": 600 }, chart.title),
    text({ x: 24, y: 53, class: "muted" }, chart.axis),
    ...(bare ? [] : [...legend(chart.series), ...grid(scale)]),
    ...content,
    ...base(chart, scale),
    ...labels(chart, notes),
    "</svg>\n",
  ].join("\n");
}

/** Its title is what a reader who sees no picture is told. */
function opening(title: string): string {
  const size = `viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${title}"`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${FONT}" font-size="13">`;
}

function legend(series: readonly Series[]): string[] {
  let x = 24;
  return series.map(({ name, colour }) => {
    const mark = element("circle", { class: seriesClass(colour), cx: x + 6, cy: 76, r: 5.5 });
    const entry = mark + text({ x: x + 17, y: 80.5 }, name);
    x += 17 + name.length * LETTER + 20;
    return entry;
  });
}

function grid({ ticks, y }: Scale): string[] {
  return ticks.map(
    (value) =>
      line({ class: "grid" }, [AREA.left, y(value), AREA.right, y(value)]) +
      text({ class: "muted", x: AREA.left - 8, y: y(value) + 4.5, "text-anchor": "end" }, numeral(value)),
  );
}

function base({ base }: Chart, { y }: Scale): string[] {
  if (base === undefined) return [];
  const level = y(base.value);
  const name = text({ class: "muted", x: AREA.right, y: level - 6, "text-anchor": "end", "font-size": 12 }, base.name);
  return [line({ class: "base" }, [AREA.left, level, AREA.right, level]), name];
}

/** A label may have several lines. */
function labels(chart: Chart, notes: readonly string[]): string[] {
  const { width, left } = bandsOf(chart);
  const middle = { "text-anchor": "middle" };
  const own = chart.labels.flatMap((label, index) => {
    const x = left(index) + width / 2;
    const lines = label.split("\n").map((each, row) => text({ x, y: AREA.bottom + 19 + row * 16, ...middle }, each));
    const note = notes[index];
    const style = { class: seriesClass(0), "font-weight": 600, ...middle };
    return note === undefined ? lines : [...lines, text({ x, y: AREA.bottom + 54, ...style }, note)];
  });
  if (chart.across === undefined) return own;
  const x = (AREA.left + AREA.right) / 2;
  return [...own, text({ x, y: AREA.bottom + 46, class: "muted", ...middle }, chart.across)];
}

function linearTicks(largest: number): number[] {
  const least = (largest || 1) / TICKS;
  const decade = 10 ** Math.floor(Math.log10(least));
  const step = decade * ([1, 2, 2.5, 5, 10].find((each) => each * decade >= least * 0.999) as number);
  return Array.from({ length: Math.ceil(largest / step - 0.001) + 1 }, (_, index) => index * step);
}

/** 1, 2 and 5 of every decade, from just below the smallest value to just above the largest. */
function logarithmicTicks(values: readonly number[]): number[] {
  const above = values.filter((value) => value > 0);
  const [least, most] = [Math.min(...above), Math.max(...above)];
  const all = Array.from({ length: 14 }, (_, index) => 10 ** (index - 5)).flatMap((ten) => [ten, 2 * ten, 5 * ten]);
  const first = all.findLastIndex((tick) => tick <= least * 1.001);
  const last = all.findIndex((tick) => tick >= most * 0.999);
  return all.slice(Math.max(0, first), last === first ? last + 2 : last + 1);
}

/** A value as people write it: at most three digits of a fraction. */
export function numeral(value: number): string {
  if (value === 0 || Number.isInteger(value)) return value.toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}
