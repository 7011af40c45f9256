// A tier's metrics. What every request is counted in are plain arrays that prom-client reads at a scrape.
// Labels are bounded: known methods, status codes, ids from the registry; never a path, a host or a port.

import { Counter, Gauge, type Registry } from "prom-client";
import { Histogram } from "../runtime/histogram.ts";
import { processMetrics } from "../runtime/metrics.ts";
import type { Failure } from "./rules/failures.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const OTHER = "OTHER";
/** Statuses have three digits. */
const CODES = 1_000;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface TierMetrics {
  readonly registry: Registry;
  readonly requestDone: (method: string, status: number, seconds: number) => void;
  readonly attemptFailed: (member: string, failure: Failure) => void;
  readonly connectionRefused: () => void;
  readonly retried: () => void;
  readonly ejected: (member: string) => void;
  readonly registryAdopted: (version: number) => void;
}

export interface TierGauges {
  readonly inFlight: () => number;
  readonly serving: () => number;
  readonly upgrades: () => number;
  readonly links: () => number;
  /** By member: requests that are not over. */
  readonly underWay: () => ReadonlyMap<string, number>;
  /** Undefined: this tier holds nobody. */
  readonly held: () => { readonly size: number; readonly total: number } | undefined;
}

export function tierMetrics({ inFlight, serving, upgrades, links, underWay, held }: TierGauges): TierMetrics {
  const registry = processMetrics();
  const registers = [registry];
  gauge({ name: "evenkeel_requests_in_flight", help: "Requests this tier is working on.", registers, read: inFlight });
  const name = "evenkeel_members_serving";
  // Each of several workers has an opinion of its own; the one that sees the fewest is told of.
  gauge({ name, help: "Members that may get a new request.", registers, read: serving, aggregator: "min" });
  gauge({ name: "evenkeel_upgrades_open", help: "Upgraded connections that are open.", registers, read: upgrades });
  gauge({ name: "evenkeel_links_open", help: "Links to proxies that are open.", registers, read: links });
  new Gauge({
    name: "evenkeel_member_requests_in_flight",
    help: "Requests and upgrades that are under way at each member.",
    labelNames: ["member"],
    registers,
    collect() {
      this.reset();
      for (const [member, count] of underWay()) this.labels(member).set(count);
    },
  });
  heldCounts(held, registers);
  const requests = requestCounts(registers);
  const duration = new Histogram({
    name: "evenkeel_request_duration_seconds",
    help: "From a request's head to its last byte.",
    buckets: SECONDS,
    registry,
  });
  const failed = new Counter({
    name: "evenkeel_attempts_failed_total",
    help: "Attempts that ended without an answer, by member and failure.",
    labelNames: ["member", "failure"],
    registers,
  });
  const retries = new Counter({ name: "evenkeel_retries_total", help: "Attempts after the first.", registers });
  const refused = new Counter({
    name: "evenkeel_connections_refused_total",
    help: "Connections closed at once, because their client's address had as many as it may.",
    registers,
  });
  const ejections = new Counter({
    name: "evenkeel_ejections_total",
    help: "Members taken out of traffic by this tier.",
    labelNames: ["member"],
    registers,
  });
  const version = new Gauge({
    ...{ name: "evenkeel_registry_version", help: "The registry in use.", registers },
    aggregator: "min",
  });

  return {
    registry,
    requestDone(method, status, seconds) {
      countRequest(requests, method, status);
      duration.observe(seconds);
    },
    attemptFailed: (member, failure) => failed.labels(member, failure).inc(),
    connectionRefused: () => refused.inc(),
    retried: () => retries.inc(),
    ejected: (member) => ejections.labels(member).inc(),
    registryAdopted: (value) => version.set(value),
  };
}

function heldCounts(held: TierGauges["held"], registers: Registry[]): void {
  const size = () => held()?.size ?? 0;
  gauge({
    name: "evenkeel_requests_held",
    help: "Requests that wait for a server that is made anew.",
    registers,
    read: size,
  });
  new Counter({
    name: "evenkeel_requests_held_total",
    help: "Requests that have waited for a server that was made anew.",
    registers,
    collect() {
      this.reset();
      this.inc(held()?.total ?? 0);
    },
  });
}

/** By method, those of each by status. */
type RequestCounts = ReadonlyMap<string, Float64Array>;

function requestCounts(registers: Registry[]): RequestCounts {
  const counts = new Map([...METHODS, OTHER].map((method) => [method, new Float64Array(CODES)] as const));
  new Counter({
    name: "evenkeel_requests_total",
    help: "Requests and upgrades answered, by method and status; 499: the client left.",
    labelNames: ["method", "code"],
    registers,
    collect() {
      this.reset();
      for (const [method, byCode] of counts) {
        for (const [code, count] of byCode.entries()) if (count > 0) this.inc({ method, code }, count);
      }
    },
  });
  return counts;
}

function countRequest(counts: RequestCounts, method: string, status: number): void {
  const byCode = (counts.get(method) ?? counts.get(OTHER)) as Float64Array;
  (byCode[status] as number) += 1;
}

interface ReadGauge {
  readonly name: string;
  readonly help: string;
  readonly registers: Registry[];
  readonly read: () => number;
  /** Over several workers; a sum unless it says otherwise. */
  readonly aggregator?: "min";
}

function gauge({ read, ...options }: ReadGauge): void {
  new Gauge({
    ...options,
    collect() {
      this.set(read());
    },
  });
}
