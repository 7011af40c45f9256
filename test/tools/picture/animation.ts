// Pure. Recorded terminals -> one SVG that moves by itself, without a script. A row is drawn once for each text that it has had, and seen
// while it had it. Whoever wants no motion sees the last screen.

export type Tone = "plain" | "dim" | "red" | "green" | "yellow" | "cyan";

/** Text of one colour. */
export interface Run {
  readonly text: string;
  readonly tone: Tone;
}

export interface Screen {
  /** Since the recording began. */
  readonly atMs: number;
  readonly rows: readonly (readonly Run[])[];
}

export interface Pane {
  /** The command that was typed. */
  readonly title: string;
  readonly columns: number;
  readonly rows: number;
  readonly screens: readonly Screen[];
}

/** One row's text, and from when until when it stood there. */
interface Stretch {
  readonly runs: readonly Run[];
  readonly fromMs: number;
  readonly untilMs: number;
}

const [CELL, LINE, PAD, BAR, GAP] = [8.4, 19, 14, 34, 16];
const COLOURS: Readonly<Record<Tone, string>> = {
  plain: "#d7dce2",
  dim: "#8a94a0",
  red: "#ff8080",
  green: "#7ee2a0",
  yellow: "#f2d06b",
  cyan: "#7cc7f0",
};

/** @param lastsMs the whole, which then begins again */
export function animationOf(panes: readonly Pane[], lastsMs: number, about: string): string {
  const width = Math.ceil(Math.max(...panes.map(({ columns }) => columns)) * CELL + 2 * PAD);
  const styles: string[] = [];
  const drawn: string[] = [];
  let top = 0;
  for (const pane of panes) {
    const height = BAR + pane.rows * LINE + PAD;
    drawn.push(`<g transform="translate(0 ${top})">`, ...windowOf(pane.title, width, height));
    for (let row = 0; row < pane.rows; row += 1) {
      const y = BAR + (row + 0.75) * LINE;
      for (const stretch of stretchesOf(pane.screens, row, lastsMs)) {
        const name = `k${styles.length}`;
        styles.push(styleOf(name, stretch, lastsMs));
        drawn.push(`<text class="${name}" x="${PAD}" y="${y.toFixed(1)}">${stretch.runs.map(spanOf).join("")}</text>`);
      }
    }
    drawn.push("</g>");
    top += height + GAP;
  }
  const height = top - GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(about)}</title>`,
    `<style>`,
    `text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:${COLOURS.plain}}`,
    ...Object.entries(COLOURS).map(([tone, colour]) => `.${tone}{fill:${colour}}`),
    ...styles,
    `@media (prefers-reduced-motion:reduce){text[class]{animation:none}}`,
    `</style>`,
    ...drawn,
    `</svg>`,
    "",
  ].join("\n");
}

/** What a row showed one after another; nothing for the time in which it was empty. */
export function stretchesOf(screens: readonly Screen[], row: number, lastsMs: number): Stretch[] {
  const stretches: Stretch[] = [];
  let begun: { readonly runs: readonly Run[]; readonly fromMs: number; readonly key: string } | undefined;
  const end = (untilMs: number) => {
    if (begun !== undefined && begun.runs.length > 0 && untilMs > begun.fromMs)
      stretches.push({ runs: begun.runs, fromMs: begun.fromMs, untilMs });
  };
  for (const { atMs, rows } of screens) {
    const runs = rows[row] ?? [];
    const key = JSON.stringify(runs);
    if (key === begun?.key) continue;
    end(atMs);
    begun = { runs, fromMs: atMs, key };
  }
  end(lastsMs);
  return stretches;
}

function styleOf(name: string, { fromMs, untilMs }: Stretch, lastsMs: number): string {
  const [from, until] = [fromMs, untilMs].map((ms) => `${((100 * ms) / lastsMs).toFixed(2)}%`);
  const isLast = untilMs >= lastsMs;
  const frames = `0%{visibility:hidden}${from}{visibility:visible}${isLast ? "" : `${until}{visibility:hidden}`}`;
  const rest = isLast ? "" : "visibility:hidden;";
  return `.${name}{${rest}animation:${name} ${(lastsMs / 1_000).toFixed(1)}s step-end infinite}@keyframes ${name}{${frames}}`;
}

function windowOf(title: string, width: number, height: number): string[] {
  return [
    `<rect width="${width}" height="${height}" rx="8" fill="#171b21"/>`,
    `<text x="${PAD}" y="21"><tspan class="green">$</tspan> ${escaped(title)}</text>`,
  ];
}

function spanOf({ text, tone }: Run): string {
  return tone === "plain" ? escaped(text) : `<tspan class="${tone}">${escaped(text)}</tspan>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
