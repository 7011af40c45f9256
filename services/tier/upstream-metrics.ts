// The metrics of a tier's pools and of their members, read at a scrape from where they are counted (cluster/counts.ts). Every counter is
// told of from the start, at 0, so that the first request or failure is seen as one more; a member that is gone takes its series with it.
// `upstream` is the member that a request was sent to. `member` would be the one that is scraped, by /sd/targets.

import type { Labels, ReadMetric, Sample } from "../runtime/metrics.ts";
import type { MemberCounts, PoolCounts } from "./cluster/counts.ts";
import type { Member } from "./cluster/members.ts";
import { type Failure, failures } from "./rules/failures.ts";
import type { MemberConnectionsCounted } from "./upstream/connection-counts.ts";

/** A pool, as it is read. */
export interface PoolCounted {
  readonly pool: string;
  readonly counts: PoolCounts;
  readonly waiting: number;
  readonly members: Iterable<Pick<Member, "id" | "health" | "load" | "counts">>;
}

/** Requests of a pool that are not over at a member. */
export interface UnderWay {
  readonly pool: string;
  readonly member: string;
  readonly open: number;
}

export interface UpstreamGauges {
  readonly pools: () => readonly PoolCounted[];
  readonly underWay: () => Iterable<UnderWay>;
  readonly connectionsTo: () => readonly MemberConnectionsCounted[];
}

const CLASSES = [1, 2, 3, 4, 5];
const KINDS = Object.keys(failures) as Failure[];
/** These end a request before there is an attempt. */
const OF_NO_ATTEMPT: ReadonlySet<Failure> = new Set(["no-member", "no-route", "overloaded"]);
const KINDS_OF_ATTEMPTS = KINDS.filter((kind) => !OF_NO_ATTEMPT.has(kind));
const KINDS_OF_POOLS = KINDS.filter((kind) => kind !== "no-route");

export function* upstreamMetrics({ pools, underWay, connectionsTo }: UpstreamGauges): Iterable<ReadMetric> {
  yield* poolMetrics(pools);
  yield {
    name: "evenkeel_upstream_requests_in_flight",
    help: "Requests and upgrades that are under way at each member.",
    ...{ type: "gauge", labelNames: ["upstream", "pool"] },
    read: () =>
      Array.from(underWay(), ({ member, pool, open }) => ({ labels: { upstream: member, pool }, value: open })),
  };
  yield* memberMetrics(pools);
  yield* connectionMetrics(connectionsTo);
}

/** Of all pools together, which share them. */
function* connectionMetrics(connectionsTo: UpstreamGauges["connectionsTo"]): Iterable<ReadMetric> {
  const labelNames = ["upstream"];
  const value = (read: (counted: MemberConnectionsCounted) => number) => () =>
    connectionsTo().map((counted) => ({ labels: { upstream: counted.member }, value: read(counted) }));
  yield {
    name: "evenkeel_upstream_connections_open",
    help: "Connections of HTTP/1.1 to each member, idle ones included; links and upgrades are counted apart.",
    ...{ type: "gauge", labelNames, read: value(({ open }) => open) },
  };
  yield {
    name: "evenkeel_upstream_connections_total",
    help: "Such connections that were begun.",
    ...{ type: "counter", labelNames, read: value(({ counts }) => counts.opened) },
  };
  yield histogram("evenkeel_upstream_connect_seconds", {
    help: "How long each took until it was there.",
    labelNames,
    read: (name) => () =>
      connectionsTo().flatMap(({ member, counts }) => counts.connect.samples(name, { upstream: member })),
  });
}

function* poolMetrics(pools: UpstreamGauges["pools"]): Iterable<ReadMetric> {
  const each = (read: (pool: PoolCounted, labels: Labels) => Iterable<Sample>) => () =>
    pools().flatMap((pool) => [...read(pool, { pool: pool.pool })]);
  const labelNames = ["pool"];
  yield {
    name: "evenkeel_pool_requests_total",
    help: "Requests and upgrades for each pool, by the class of the status that the client got.",
    ...{ type: "counter", labelNames: ["pool", "code"] },
    read: each(({ counts }, labels) => classesOf(counts, labels)),
  };
  yield histogram("evenkeel_pool_request_duration_seconds", {
    help: "From the search for a member to the last byte, over all attempts; of an upgrade until it was answered.",
    labelNames,
    read: (name) => each(({ counts }, labels) => counts.duration.samples(name, labels)),
  });
  yield {
    name: "evenkeel_pool_failures_total",
    help: "Requests that no attempt answered, by their last failure.",
    ...{ type: "counter", labelNames: ["pool", "failure"] },
    read: each(({ counts }, labels) => failuresOf(counts, KINDS_OF_POOLS, labels)),
  };
  yield {
    name: "evenkeel_retries_total",
    help: "Attempts after the first.",
    ...{ type: "counter", labelNames },
    read: each(({ counts }, labels) => [{ labels, value: counts.retries }]),
  };
  yield {
    name: "evenkeel_queue_length",
    help: "Requests that wait while every member has as many as it may.",
    ...{ type: "gauge", labelNames },
    read: each(({ waiting }, labels) => [{ labels, value: waiting }]),
  };
  yield histogram("evenkeel_queue_wait_seconds", {
    help: "How long those waited that had to, whatever came of it.",
    labelNames,
    read: (name) => each(({ counts }, labels) => counts.queueWait.samples(name, labels)),
  });
}

type EachMember = (counts: MemberCounts, labels: Labels) => Iterable<Sample>;

function* memberMetrics(pools: UpstreamGauges["pools"]): Iterable<ReadMetric> {
  const each = (read: EachMember) => () =>
    pools().flatMap(({ pool, members }) =>
      Array.from(members).flatMap(({ id, counts }) => [...read(counts, { upstream: id, pool })]),
    );
  const labelNames = ["upstream", "pool"];
  const counter = (name: string, help: string, read: (counts: MemberCounts) => number): ReadMetric => {
    return {
      name,
      help,
      type: "counter",
      labelNames,
      read: each((counts, labels) => [{ labels, value: read(counts) }]),
    };
  };
  yield {
    name: "evenkeel_upstream_requests_total",
    help: "Attempts at each member, by the class of its status, or of the one that its failure stands for.",
    ...{ type: "counter", labelNames: [...labelNames, "code"] },
    read: each(classesOf),
  };
  yield histogram("evenkeel_upstream_request_duration_seconds", {
    help: "From the beginning of an attempt to its end; of an upgrade until it was answered.",
    labelNames,
    read: (name) => each((counts, labels) => counts.duration.samples(name, labels)),
  });
  yield histogram("evenkeel_upstream_first_byte_seconds", {
    help: "From the beginning of an attempt to the head of its response.",
    labelNames,
    read: (name) => each((counts, labels) => counts.firstByte.samples(name, labels)),
  });
  yield {
    name: "evenkeel_upstream_failures_total",
    help: "Attempts that ended without a whole answer, by member and failure.",
    ...{ type: "counter", labelNames: [...labelNames, "failure"] },
    read: each((counts, labels) => failuresOf(counts, KINDS_OF_ATTEMPTS, labels)),
  };
  const ejected = "Times that this tier took the member out of its traffic.";
  yield counter("evenkeel_upstream_ejections_total", ejected, ({ ejections }) => ejections);
  yield* ejectedNow(pools);
  const sent = "Bytes of requests' bodies sent to each member.";
  yield counter("evenkeel_upstream_request_bytes_total", sent, ({ requestBytes }) => requestBytes);
  const received = "Bytes of responses' bodies that came from each member.";
  yield counter("evenkeel_upstream_response_bytes_total", received, ({ responseBytes }) => responseBytes);
}

function* ejectedNow(pools: UpstreamGauges["pools"]): Iterable<ReadMetric> {
  yield {
    name: "evenkeel_upstream_ejected",
    help: "1 while this tier keeps the member out of its traffic; with several workers, while one of them does.",
    ...{ type: "gauge", aggregator: "max", labelNames: ["upstream", "pool"] },
    read: () =>
      pools().flatMap(({ pool, members }) =>
        Array.from(members, ({ id, health }) => ({
          labels: { upstream: id, pool },
          value: health.kind === "up" ? 0 : 1,
        })),
      ),
  };
}

interface HistogramRead {
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly read: (name: string) => () => Iterable<Sample>;
}

function histogram(name: string, { help, labelNames, read }: HistogramRead): ReadMetric {
  return { name, help, type: "histogram", labelNames, read: read(name) };
}

function classesOf({ byClass }: Pick<PoolCounts, "byClass">, labels: Labels): Sample[] {
  return CLASSES.map((first) => ({ labels, own: ["code", `${first}xx`], value: byClass[first] as number }));
}

function failuresOf(counts: Pick<PoolCounts, "failures">, kinds: readonly Failure[], labels: Labels): Sample[] {
  return kinds.map((failure) => ({ labels, own: ["failure", failure], value: counts.failures[failure] ?? 0 }));
}
