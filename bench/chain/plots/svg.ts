// Pure. Pieces of SVG as text, and the colours that they are drawn in: for light pages and dark ones, told apart by those who see
// few colours. Knows no chart.

/** Of the stack that a chart is about, of the one it is compared with, and of the others. */
const SERIES = ["#0072b2", "#6e7781", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#8a63d2", "#56b4e9"];
/** The first is too dark for a dark page. */
const SERIES_IN_THE_DARK = ["#4ba3e3", "#9198a1"];
const LIGHT = { ground: "#ffffff", ink: "#1f2328", muted: "#59636e", grid: "#d8dee4", band: "#f6f8fa" };
const DARK = { ground: "#0d1117", ink: "#e6edf3", muted: "#9198a1", grid: "#30363d", band: "#151b23" };

/** Classes, so that a page's scheme can change what they look like. */
export const STYLE = `<style>${rules(LIGHT, SERIES)}@media (prefers-color-scheme:dark){${rules(DARK, SERIES_IN_THE_DARK)}}</style>`;

/** The class of the n-th stack. */
export const seriesClass = (index: number) => `s${index % SERIES.length}`;

export type Attributes = Readonly<Record<string, string | number>>;

/** @param content already SVG, or empty */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}="${shown(value)}"`);
  return content === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${content}</${name}>`;
}

export function text(attributes: Attributes, content: string): string {
  return element("text", { class: "ink", ...attributes }, escaped(content));
}

export function line(attributes: Attributes, [x1, y1, x2, y2]: readonly [number, number, number, number]): string {
  return element("line", { x1, y1, x2, y2, ...attributes });
}

function rules(page: typeof LIGHT, series: readonly string[]): string {
  const { ground, ink, muted, grid, band } = page;
  const own = series.map((colour, index) => `.s${index}{fill:${colour}}:not(text).s${index}{stroke:${colour}}`);
  return [
    `.ground{fill:${ground}}.band{fill:${band}}.ink{fill:${ink}}.muted{fill:${muted}}`,
    `.grid{stroke:${grid}}.base{stroke:${muted};stroke-dasharray:5 4;stroke-width:1.5}`,
    ...own,
  ].join("");
}

const shown = (value: string | number) => (typeof value === "number" ? Math.round(value * 10) / 10 : value);
const escaped = (content: string) => content.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
