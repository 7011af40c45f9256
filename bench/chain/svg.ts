// Pure. Two kinds of chart as SVG text, without a library: grouped bars with their spread, and lines. Values begin at zero; the
// axis ends a little above the largest value. Colours are told apart in print and by those who see few of them.

export interface Point {
  readonly label: string;
  readonly value: number;
  readonly min?: number;
  readonly max?: number;
}

export interface Series {
  readonly name: string;
  /** In the order of the chart's labels; a label that a series has no point for stays empty. */
  readonly points: readonly Point[];
}

export interface Chart {
  readonly title: string;
  /** What the values are, with their unit. */
  readonly axis: string;
  readonly labels: readonly string[];
  readonly series: readonly Series[];
  /** A horizontal line at this value: what the others are compared with. */
  readonly reference?: number;
  /** Past it values are cut off, with their number written at the edge. */
  readonly top?: number;
}

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const WIDTH = 900;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 20;
const TOP = 70;
const BOTTOM = 60;
const TICKS = 5;

export function barChart(chart: Chart): string {
  const scale = scaleOf(chart);
  const band = (WIDTH - LEFT - RIGHT) / Math.max(1, chart.labels.length);
  const width = (band * 0.8) / Math.max(1, chart.series.length);
  const bars = chart.series.flatMap(({ points }, index) =>
    points.map((point) => {
      const x = LEFT + chart.labels.indexOf(point.label) * band + band * 0.1 + index * width;
      return bar({ point, x, width, colour: colourOf(index), scale });
    }),
  );
  return frame(chart, scale, bars);
}

export function lineChart(chart: Chart): string {
  const scale = scaleOf(chart);
  const band = (WIDTH - LEFT - RIGHT) / Math.max(1, chart.labels.length);
  const x = ({ label }: Point) => LEFT + (chart.labels.indexOf(label) + 0.5) * band;
  const lines = chart.series.flatMap(({ points }, index) => {
    const path = points.map((point) => `${round(x(point))},${round(scale.y(point.value))}`).join(" ");
    const colour = colourOf(index);
    const marks = points.map(
      (point) => `<circle cx="${round(x(point))}" cy="${round(scale.y(point.value))}" r="3" fill="${colour}"/>`,
    );
    return [`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`, ...marks];
  });
  return frame(chart, scale, lines);
}

interface Scale {
  readonly top: number;
  readonly y: (value: number) => number;
}

function scaleOf({ series, top, reference = 0 }: Chart): Scale {
  const values = series.flatMap(({ points }) => points.map(({ value, max = value }) => max));
  const largest = Math.max(reference, ...values) || 1;
  const end = roundUp(top === undefined ? largest : Math.min(top, largest));
  const y = (value: number) => HEIGHT - BOTTOM - (Math.min(value, end) / end) * (HEIGHT - TOP - BOTTOM);
  return { top: end, y };
}

/** So that each tick is a round number. */
function roundUp(value: number): number {
  const least = value / TICKS;
  const decade = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 2.5, 5, 10].find((each) => each * decade >= least * 0.999) as number;
  return step * decade * TICKS;
}

function bar(one: {
  readonly point: Point;
  readonly x: number;
  readonly width: number;
  readonly colour: string;
  readonly scale: Scale;
}): string {
  const { point, x, width, colour, scale } = one;
  const { value, min = value, max = value } = point;
  const y = scale.y(value);
  const [left, middle] = [round(x), round(x + width / 2)];
  const rectangle = `<rect x="${left}" y="${round(y)}" width="${round(width)}" height="${round(scale.y(0) - y)}" fill="${colour}"/>`;
  const whisker = `<line x1="${middle}" x2="${middle}" y1="${round(scale.y(min))}" y2="${round(scale.y(max))}" stroke="#333"/>`;
  const cut = value > scale.top ? text({ x: middle, y: y - 4, size: 9, anchor: "middle" }, value.toFixed(1)) : "";
  return rectangle + whisker + cut;
}

function frame(chart: Chart, scale: Scale, content: readonly string[]): string {
  const band = (WIDTH - LEFT - RIGHT) / Math.max(1, chart.labels.length);
  const labels = chart.labels.map((label, index) =>
    text({ x: LEFT + (index + 0.5) * band, y: HEIGHT - BOTTOM + 18, anchor: "middle" }, label),
  );
  const legend = chart.series.map(({ name }, index) => {
    const x = LEFT + index * 130;
    return `<rect x="${x}" y="38" width="12" height="12" fill="${colourOf(index)}"/>${text({ x: x + 17, y: 48 }, name)}`;
  });
  const reference =
    chart.reference === undefined
      ? []
      : [
          `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" ${level(scale, chart.reference)} stroke="#333" stroke-dasharray="4 3"/>`,
        ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text({ x: LEFT, y: 24, size: 15 }, chart.title),
    ...legend,
    ...grid(scale),
    ...content,
    ...reference,
    ...labels,
    text({ x: LEFT, y: HEIGHT - 14 }, chart.axis),
    "</svg>\n",
  ].join("\n");
}

function grid(scale: Scale): string[] {
  return Array.from({ length: TICKS + 1 }, (_, index) => {
    const value = (scale.top * index) / TICKS;
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" ${level(scale, value)} stroke="#ddd"/>`;
    return line + text({ x: LEFT - 8, y: scale.y(value) + 4, anchor: "end" }, shown(value));
  });
}

function level({ y }: Scale, value: number): string {
  return `y1="${round(y(value))}" y2="${round(y(value))}"`;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly size?: number;
  readonly anchor?: "middle" | "end";
}

function text({ x, y, size, anchor }: Place, content: string): string {
  const attributes = `${size === undefined ? "" : ` font-size="${size}"`}${anchor === undefined ? "" : ` text-anchor="${anchor}"`}`;
  return `<text x="${round(x)}" y="${round(y)}"${attributes}>${escaped(content)}</text>`;
}

const escaped = (content: string) => content.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const colourOf = (index: number) => COLOURS[index % COLOURS.length] as string;
const round = (value: number) => Math.round(value * 10) / 10;
const shown = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2));
