// Pure. The metrics of several processes as one text for Prometheus: (what each told, its labels) -> each metric once, with the series of
// all. What is no series of the text format is left out: a member's words must not spoil the others'.

export interface ToldMetrics {
  /** What its series get: who told them. */
  readonly labels: Readonly<Record<string, string>>;
  /** As its /metrics has them; undefined: it did not answer. */
  readonly text: string | undefined;
}

const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\]|\\\\.)*"';
const SERIES = new RegExp(
  `^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{((?:${LABEL},?)*)\\})? ([-+]?(?:\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?|Inf|NaN|Nan))$`,
);
const HEAD = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) /;

interface Family {
  readonly heads: Map<string, string>;
  readonly series: string[];
}

export function mergedMetrics(all: readonly ToldMetrics[]): string {
  const families = new Map<string, Family>();
  for (const { labels, text = "" } of all) {
    const own = labelsOf(labels);
    const taken = new RegExp(`(?:^|,)(?:${Object.keys(labels).join("|")})=`);
    let family: Family | undefined;
    for (const line of text.split("\n")) {
      const [, kind, name] = HEAD.exec(line) ?? [];
      if (kind !== undefined && name !== undefined) {
        family = families.get(name) ?? { heads: new Map(), series: [] };
        families.set(name, family);
        if (!family.heads.has(kind)) family.heads.set(kind, line);
      } else if (family !== undefined) {
        const [whole, series, its = "", value] = SERIES.exec(line) ?? [];
        if (whole === undefined || taken.test(its)) continue;
        family.series.push(`${series}{${its === "" ? own : `${own},${its}`}} ${value}`);
      }
    }
  }
  const blocks = [...families.values()].filter(({ series }) => series.length > 0);
  return `${[...blocks.map(textOf), answeredOf(all)].join("\n\n")}\n`;
}

function textOf({ heads, series }: Family): string {
  return [...heads.values(), ...series].join("\n");
}

/** Who is missing in it, for whoever reads this instead of `up`. */
function answeredOf(all: readonly ToldMetrics[]): string {
  const name = "evenkeel_member_scraped";
  const series = all.map(({ labels, text }) => `${name}{${labelsOf(labels)}} ${text === undefined ? 0 : 1}`);
  return [`# HELP ${name} 1 when the member told its metrics.`, `# TYPE ${name} gauge`, ...series].join("\n");
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`)
    .join(",");
}
