// Pure. What a tier's window says -> figures that people read: requests a second, share of errors, the median and the 99th percentile,
// on each edge of the topology, of each member and of all.

import type { UpstreamCounts } from "./reading.ts";
import { type Passed, together } from "./window.ts";

export interface Figures {
  readonly perSecond: number;
  readonly inFlight: number;
  /** From 0 to 1; null: there was no request. */
  readonly errorShare: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface Edge extends Figures {
  readonly from: string;
  readonly to: string;
}

export interface TrafficShown {
  /** At the balancer; null: it has not been looked at twice. */
  readonly total: Figures | null;
  /** By member; of a balancer, what came in. */
  readonly members: Readonly<Record<string, Figures>>;
  /** As the balancer's clients meet them, over all attempts. */
  readonly pools: Readonly<Record<string, Figures>>;
  readonly edges: readonly Edge[];
}

export interface TierPassed {
  readonly id: string;
  readonly role: string;
  readonly passed: Passed;
}

export function trafficOf(tiers: readonly TierPassed[]): TrafficShown {
  const edges = tiers.flatMap(({ id, passed }) =>
    [...passed.upstreams].map(([to, counts]) => ({ from: id, to, counts, ms: passed.ms })),
  );
  const entries = tiers.filter(({ role }) => role === "balancer");
  const members = new Map(entries.map(({ id, passed }) => [id, figuresOf([passed.total], passed.ms)]));
  for (const to of new Set(edges.map((edge) => edge.to)))
    members.set(to, sumOf(edges.filter((edge) => edge.to === to)));
  const [entry] = entries;
  return {
    total: entry === undefined ? null : (members.get(entry.id) ?? null),
    members: Object.fromEntries(members),
    pools: Object.fromEntries(
      [...(entry?.passed.pools ?? [])].map(([name, counts]) => [name, figuresOf([counts], entry?.passed.ms ?? 1)]),
    ),
    edges: edges.map(({ from, to, counts, ms }) => ({ from, to, ...figuresOf([counts], ms) })),
  };
}

/** Tiers are looked at together, so their windows are alike but for milliseconds. */
function sumOf(edges: readonly { readonly counts: UpstreamCounts; readonly ms: number }[]): Figures {
  const ms = Math.max(...edges.map((edge) => edge.ms));
  return figuresOf(
    edges.map(({ counts }) => counts),
    ms,
  );
}

function figuresOf(all: readonly UpstreamCounts[], ms: number): Figures {
  const { requests, errors, within, inFlight } = together(all);
  return {
    perSecond: rounded((requests * 1_000) / ms),
    inFlight,
    errorShare: requests === 0 ? null : errors / requests,
    p50Ms: quantileMs(within, 0.5),
    p99Ms: quantileMs(within, 0.99),
  };
}

/**
 * Within its bucket a time is taken to lie evenly, as Prometheus's histogram_quantile does; past the last bound it is that bound.
 * @returns null: nothing was counted
 */
export function quantileMs(within: ReadonlyMap<number, number>, quantile: number): number | null {
  const bounds = [...within].sort(([one], [other]) => one - other);
  const count = bounds.at(-1)?.[1] ?? 0;
  if (count <= 0) return null;
  const rank = quantile * count;
  let [from, below] = [0, 0];
  for (const [bound, counted] of bounds) {
    if (counted >= rank && counted > below) {
      const seconds = Number.isFinite(bound) ? from + ((bound - from) * (rank - below)) / (counted - below) : from;
      return rounded(seconds * 1_000);
    }
    if (Number.isFinite(bound)) from = bound;
    below = counted;
  }
  return rounded(from * 1_000);
}

/** What people tell apart: an event of the same figures need not be sent again. */
function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
