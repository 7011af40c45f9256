// A tier's metrics: what is its own is counted here, in plain numbers that are read at a scrape; what belongs to a pool or to one of its
// members is counted there. Labels are bounded: known methods, status codes, ids from the registry; never a path, a host or a port.

import type { Registry } from "prom-client";
import { Histogram } from "../runtime/histogram.ts";
import { addReadMetric, processMetrics, type ReadMetric, type Sample, single } from "../runtime/metrics.ts";
import { failures } from "./rules/failures.ts";
import { type UpstreamGauges, upstreamMetrics } from "./upstream-metrics.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const OTHER = "OTHER";
/** Statuses have three digits. */
const CODES = 1_000;
/** What is told of from the start, so that the first request of its kind is seen as one more. */
const CODES_TOLD = new Set<number>([200, ...Object.values(failures).map(({ status }) => status)]);

export interface TierMetrics {
  readonly registry: Registry;
  readonly requestDone: (method: string, status: number, seconds: number) => void;
  readonly connectionRefused: () => void;
  readonly registryAdopted: (version: number) => void;
}

export interface TierGauges extends UpstreamGauges {
  readonly inFlight: () => number;
  readonly serving: () => number;
  readonly upgrades: () => number;
  readonly links: () => number;
  /** Clients': how many are open, have come, and were one too many of all. */
  readonly connections: () => { readonly connections: number; readonly accepted: number; readonly dropped: number };
  /** Undefined: this tier holds nobody. */
  readonly held: () => { readonly size: number; readonly total: number } | undefined;
}

export function tierMetrics(gauges: TierGauges): TierMetrics {
  const registry = processMetrics();
  const add = (metric: ReadMetric) => addReadMetric(registry, metric);
  const requests = new Map([...METHODS, OTHER].map((method) => [method, new Float64Array(CODES)] as const));
  const duration = new Histogram();
  const own = { refused: 0, version: 0 };
  for (const metric of [
    ...requestMetrics(requests, duration),
    ...connectionMetrics(gauges, own),
    ...registryMetrics(gauges, own),
    ...heldMetrics(gauges),
    ...upstreamMetrics(gauges),
  ])
    add(metric);
  return {
    registry,
    requestDone(method, status, seconds) {
      const byCode = (requests.get(method) ?? requests.get(OTHER)) as Float64Array;
      (byCode[status] as number) += 1;
      duration.observe(seconds);
    },
    connectionRefused() {
      own.refused += 1;
    },
    registryAdopted(version) {
      own.version = version;
    },
  };
}

/** By method, those of each by status. */
type Requests = ReadonlyMap<string, Float64Array>;

function* requestMetrics(requests: Requests, duration: Histogram): Iterable<ReadMetric> {
  yield {
    name: "evenkeel_requests_total",
    help: "Requests and upgrades answered, by method and status; 499: the client left.",
    type: "counter",
    labelNames: ["method", "code"],
    read: () => [...requests].flatMap(([method, byCode]) => samplesOf(method, byCode)),
  };
  const name = "evenkeel_request_duration_seconds";
  yield {
    ...{ name, help: "From a request's head to its last byte.", type: "histogram" },
    read: () => duration.samples(name, {}),
  };
}

function samplesOf(method: string, byCode: Float64Array): Sample[] {
  const told: Sample[] = [];
  for (const [code, value] of byCode.entries())
    if (value > 0 || CODES_TOLD.has(code)) told.push({ labels: { method, code }, value });
  return told;
}

interface Own {
  readonly refused: number;
  readonly version: number;
}

function* connectionMetrics({ inFlight, connections, upgrades, links }: TierGauges, own: Own): Iterable<ReadMetric> {
  yield single("evenkeel_requests_in_flight", "gauge", "Requests this tier is working on.", inFlight);
  const open = "Clients' connections that are open, but for upgrades.";
  yield single("evenkeel_connections_open", "gauge", open, () => connections().connections);
  yield single("evenkeel_connections_total", "counter", "Clients' connections accepted.", () => connections().accepted);
  yield {
    name: "evenkeel_connections_refused_total",
    help: "Connections closed at once: there were as many as there may be of all clients, or of their client's address.",
    ...{ type: "counter", labelNames: ["limit"] },
    read: () => [
      { labels: { limit: "all" }, value: connections().dropped },
      { labels: { limit: "client" }, value: own.refused },
    ],
  };
  yield single("evenkeel_upgrades_open", "gauge", "Upgraded connections that are open.", upgrades);
  yield single("evenkeel_links_open", "gauge", "Links to proxies that are open.", links);
}

/** Each of several workers has an opinion of its own; the least is told of. */
function* registryMetrics({ serving }: TierGauges, own: Own): Iterable<ReadMetric> {
  const aggregator = "min";
  yield { ...single("evenkeel_members_serving", "gauge", "Members that may get a new request.", serving), aggregator };
  yield { ...single("evenkeel_registry_version", "gauge", "The registry in use.", () => own.version), aggregator };
}

function* heldMetrics({ held }: TierGauges): Iterable<ReadMetric> {
  const now = "Requests that wait for a server that is made anew.";
  yield single("evenkeel_requests_held", "gauge", now, () => held()?.size ?? 0);
  const ever = "Requests that have waited for a server that was made anew.";
  yield single("evenkeel_requests_held_total", "counter", ever, () => held()?.total ?? 0);
}
