// Pure. Three kinds of chart as SVG text, without a library: dots with their spread, one column a stack; lines; and one bar a stack.

import { AREA, bandsOf, type Chart, frame, numeral, type Point, type Series, scaleOf } from "./chart.ts";
import { element, line, seriesClass, text } from "./svg.ts";

const COLUMN_MAX = 22;
const BAR_SHARE = 0.6;

/** The values of the first series stand below, in figures. */
export function dotChart(chart: Chart): string {
  const { y } = scaleOf(chart);
  const { width, left } = bandsOf(chart);
  const column = Math.min(COLUMN_MAX, (width * 0.86) / chart.series.length);
  const shades = chart.labels.flatMap((_, index) => {
    // The grid below has to show through.
    const area = { x: left(index), y: AREA.top, width, height: AREA.bottom - AREA.top, "fill-opacity": "0.6" };
    return index % 2 === 0 ? element("rect", { class: "band", ...area }) : [];
  });
  const dots = chart.series.flatMap(({ points, colour }, order) =>
    points.map(({ label, value, min = value, max = value }) => {
      const middle = left(chart.labels.indexOf(label)) + width / 2;
      const x = middle + (order - (chart.series.length - 1) / 2) * column;
      const spread = line({ class: seriesClass(colour), "stroke-width": 2 }, [x, y(min), x, y(max)]);
      return spread + element("circle", { class: seriesClass(colour), cx: x, cy: y(value), r: colour === 0 ? 5.5 : 4 });
    }),
  );
  const first = chart.series[0]?.points ?? [];
  const notes = chart.labels.map((label) => valueAt(first, label));
  return frame(chart, [...shades, ...dots], { notes });
}

export function lineChart(chart: Chart): string {
  const { y } = scaleOf(chart);
  const { width, left } = bandsOf(chart);
  const x = ({ label }: Point) => left(chart.labels.indexOf(label)) + width / 2;
  const drawn = ({ points, colour }: Series) => {
    const path = points.map((point) => `${Math.round(x(point))},${Math.round(y(point.value))}`).join(" ");
    const style = { class: seriesClass(colour), style: "fill:none", "stroke-width": colour === 0 ? 3.5 : 2 };
    const marks = points.map((point) =>
      element("circle", { class: seriesClass(colour), cx: x(point), cy: y(point.value), r: colour === 0 ? 4.5 : 3.5 }),
    );
    return [element("polyline", { points: path, ...style }), ...marks];
  };
  // The first one lies on top.
  return frame(chart, chart.series.toReversed().flatMap(drawn));
}

/** One bar for each label, in the colour of the series that has a point there. */
export function barChart(chart: Chart): string {
  const { y } = scaleOf(chart);
  const { width, left } = bandsOf(chart);
  const bars = chart.series.flatMap(({ points, colour }) =>
    points.map(({ label, value }) => {
      const start = left(chart.labels.indexOf(label));
      const x = start + (width * (1 - BAR_SHARE)) / 2;
      const area = { x, y: y(value), width: width * BAR_SHARE, height: AREA.bottom - y(value), rx: 2 };
      const middle = { x: start + width / 2, "text-anchor": "middle", "font-weight": 600 };
      return (
        element("rect", { class: seriesClass(colour), ...area }) + text({ ...middle, y: y(value) - 8 }, numeral(value))
      );
    }),
  );
  return frame(chart, bars, { bare: true });
}

function valueAt(points: readonly Point[], label: string): string {
  const point = points.find((each) => each.label === label);
  return point === undefined ? "" : point.value.toFixed(2);
}
