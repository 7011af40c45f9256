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
  /** By the pool that the requests were for, over all of their attempts. */
  readonly pools: ReadonlyMap<string, UpstreamCounts>;
}

/** More than a registry of ours holds; what is more is passed over. */
const IDS_MAX = 2_048;

interface Growing {
  requests: number;
  errors: number;
  inFlight: number;
  readonly within: Map<number, number>;
}

type Take = (growing: Growing, line: string, value: number) => void;

const takes: ReadonlyMap<string, { readonly of: "total" | "upstream" | "pool"; readonly take: Take }> = new Map([
  ["evenkeel_requests_total", { of: "total", take: takeRequests }],
  ["evenkeel_request_duration_seconds_bucket", { of: "total", take: takeBucket }],
  ["evenkeel_requests_in_flight", { of: "total", take: takeInFlight }],
  ["evenkeel_upstream_requests_total", { of: "upstream", take: takeRequests }],
  ["evenkeel_upstream_request_duration_seconds_bucket", { of: "upstream", take: takeBucket }],
  ["evenkeel_upstream_requests_in_flight", { of: "upstream", take: takeInFlight }],
  ["evenkeel_pool_requests_total", { of: "pool", take: takeRequests }],
  ["evenkeel_pool_request_duration_seconds_bucket", { of: "pool", take: takeBucket }],
]);

const WHOLE = /^\w+(?:\{.*\})? \S+$/;

/** Of ten thousand lines, over many members, most are passed over: they are looked at no further than their names. */
export function readingOf(text: string): TierReading {
  const total = nothing();
  const ids = { upstream: new Map<string, Growing>(), pool: new Map<string, Growing>() };
  for (const line of text.split("\n")) {
    const known = takes.get(/^\w*/.exec(line)?.[0] ?? "");
    if (known === undefined || !WHOLE.test(line)) continue;
    const growing = known.of === "total" ? total : of(ids[known.of], label(line, known.of));
    const value = Number(line.slice(line.lastIndexOf(" ") + 1));
    if (growing !== undefined && Number.isFinite(value)) known.take(growing, line, value);
  }
  return { total, inFlight: total.inFlight, upstreams: ids.upstream, pools: ids.pool };
}

function nothing(): Growing {
  return { requests: 0, errors: 0, inFlight: 0, within: new Map() };
}

function of(all: Map<string, Growing>, id: string | undefined): Growing | undefined {
  if (id === undefined) return undefined;
  const known = all.get(id);
  if (known !== undefined || all.size >= IDS_MAX) return known;
  const growing = nothing();
  all.set(id, growing);
  return growing;
}

/** Its label `code` is a status or its class, such as 5xx. */
function takeRequests(growing: Growing, line: string, value: number): void {
  growing.requests += value;
  if (label(line, "code")?.startsWith("5")) growing.errors += value;
}

function takeBucket({ within }: Growing, line: string, value: number): void {
  const le = label(line, "le");
  const bound = le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
  if (!Number.isNaN(bound)) within.set(bound, (within.get(bound) ?? 0) + value);
}

function takeInFlight(growing: Growing, _line: string, value: number): void {
  growing.inFlight += value;
}

/** A label's value: from its name to the quote that nothing escapes. */
function label(line: string, name: string): string | undefined {
  // A quote in a value is escaped, so this stands where a label begins and nowhere else.
  const start = Math.max(line.indexOf(`{${name}="`), line.indexOf(`,${name}="`));
  if (start < 0) return undefined;
  const from = start + name.length + 3;
  const plain = line.slice(from, line.indexOf('"', from));
  if (!plain.includes("\\")) return plain;
  const [, whole = ""] = /^((?:[^"\\]|\\.)*)"/.exec(line.slice(from)) ?? [];
  return whole.replace(/\\(.)/g, (_pair, character: string) => (character === "n" ? "\n" : character));
}
