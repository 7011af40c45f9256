// Pure. (the text of a tier's /metrics) -> what the page's figures are made from: what came in, and what went to each upstream. Other
// series are passed over. https://prometheus.io/docs/instrumenting/exposition_formats/

/** Counters since a tier's start. */
export interface Counts {
  readonly requests: number;
  /** Of these, those that ended with a status of 500 to 599. */
  readonly errors: number;
  /** By upper bound in seconds, +Infinity too: how many took that long at most. */
  readonly within: ReadonlyMap<number, number>;
}

export interface UpstreamCounts extends Counts {
  readonly inFlight: number;
}

/** One look at a tier. */
export interface TierReading {
  /** All requests of clients, or of the tier in front. */
  readonly total: Counts;
  readonly inFlight: number;
  /** By the member that the tier sent to. */
  readonly upstreams: ReadonlyMap<string, UpstreamCounts>;
}

/** More than a registry of ours holds; a series more is passed over. */
const UPSTREAMS_MAX = 2_048;

interface Growing {
  requests: number;
  errors: number;
  inFlight: number;
  readonly within: Map<number, number>;
}

type Labels = Readonly<Record<string, string>>;
type Take = (growing: Growing, labels: Labels, value: number) => void;

const takes: Readonly<Record<string, { readonly of: "total" | "upstream"; readonly take: Take }>> = {
  evenkeel_requests_total: { of: "total", take: takeRequests },
  evenkeel_request_duration_seconds_bucket: { of: "total", take: takeBucket },
  evenkeel_requests_in_flight: { of: "total", take: takeInFlight },
  evenkeel_upstream_requests_total: { of: "upstream", take: takeRequests },
  evenkeel_upstream_request_duration_seconds_bucket: { of: "upstream", take: takeBucket },
  evenkeel_upstream_requests_in_flight: { of: "upstream", take: takeInFlight },
};

export function readingOf(text: string): TierReading {
  const total = nothing();
  const upstreams = new Map<string, Growing>();
  for (const line of text.split("\n")) {
    if (!line.startsWith("evenkeel_")) continue;
    const [, name = "", inner = "", value = ""] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
    const known = Object.hasOwn(takes, name) ? takes[name] : undefined;
    if (known === undefined) continue;
    const labels = labelsOf(inner);
    const growing = known.of === "total" ? total : of(upstreams, labels.upstream);
    if (growing !== undefined) known.take(growing, labels, numberOf(value));
  }
  return { total, inFlight: total.inFlight, upstreams };
}

function nothing(): Growing {
  return { requests: 0, errors: 0, inFlight: 0, within: new Map() };
}

function of(upstreams: Map<string, Growing>, id: string | undefined): Growing | undefined {
  if (id === undefined) return undefined;
  const known = upstreams.get(id);
  if (known !== undefined || upstreams.size >= UPSTREAMS_MAX) return known;
  const growing = nothing();
  upstreams.set(id, growing);
  return growing;
}

/** @param labels `code` is a status or its class, such as 5xx */
function takeRequests(growing: Growing, { code = "" }: Labels, value: number): void {
  growing.requests += value;
  if (code.startsWith("5")) growing.errors += value;
}

function takeBucket({ within }: Growing, { le = "" }: Labels, value: number): void {
  const bound = numberOf(le);
  within.set(bound, (within.get(bound) ?? 0) + value);
}

function takeInFlight(growing: Growing, _labels: Labels, value: number): void {
  growing.inFlight += value;
}

function labelsOf(inner: string): Labels {
  const pairs = inner.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
  return Object.fromEntries([...pairs].map(([, name, value = ""]) => [name, value.replace(/\\(.)/g, unescaped)]));
}

function unescaped(_pair: string, character: string): string {
  return character === "n" ? "\n" : character;
}

/** What is no number counts nothing. */
function numberOf(text: string): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  const value = Number(text);
  return Number.isFinite(value) ? value : 0;
}
