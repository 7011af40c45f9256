// Pure. The latest looks at one tier, and what they say together: (looks, a new one) -> looks; (looks) -> what happened from the first of
// them to the last. A tier that was started anew counts from nought: what was seen before it is forgotten.

import type { Counts, TierReading, UpstreamCounts } from "./reading.ts";

interface Look {
  readonly atMs: number;
  /** The member's generation: another one is another process. */
  readonly generation: number;
  readonly reading: TierReading;
}

/** The oldest first. */
export type Looks = readonly Look[];

/** What happened in a time; `inFlight` is of its end. */
export interface Passed {
  readonly ms: number;
  readonly total: UpstreamCounts;
  readonly upstreams: ReadonlyMap<string, UpstreamCounts>;
  readonly pools: ReadonlyMap<string, UpstreamCounts>;
}

/** Rates are those of the last ten seconds: steady enough to be read, and soon over what is over. */
const WINDOW_MS = 10_000;

export function withLook(looks: Looks, look: Look): Looks {
  const last = looks.at(-1);
  const isSame =
    last !== undefined &&
    last.generation === look.generation &&
    last.reading.total.requests <= look.reading.total.requests;
  return isSame ? [...recent(looks, look.atMs), look] : [look];
}

/** Without those that are too old. */
export function recent(looks: Looks, nowMs: number): Looks {
  return looks.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
}

/** @returns undefined: one look says nothing of rates */
export function passed(looks: Looks): Passed | undefined {
  const [first, last] = [looks[0], looks.at(-1)];
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
  const { total, inFlight, upstreams, pools } = last.reading;
  return {
    ms: last.atMs - first.atMs,
    total: { ...grown(first.reading.total, total), inFlight },
    upstreams: allGrown(first.reading.upstreams, upstreams),
    pools: allGrown(first.reading.pools, pools),
  };
}

type ById = ReadonlyMap<string, UpstreamCounts>;

function allGrown(before: ById, all: ById): ById {
  return new Map([...all].map(([id, now]) => [id, { ...grown(before.get(id), now), inFlight: now.inFlight }]));
}

/** Several in one: what two proxies sent to the same server, say. Bounds are the same at all tiers. */
export function together(all: readonly UpstreamCounts[]): UpstreamCounts {
  const within = new Map<number, number>();
  for (const one of all) for (const [bound, count] of one.within) within.set(bound, (within.get(bound) ?? 0) + count);
  const sum = (of: (one: UpstreamCounts) => number) => all.reduce((sum, one) => sum + of(one), 0);
  return {
    requests: sum(({ requests }) => requests),
    errors: sum(({ errors }) => errors),
    inFlight: sum(({ inFlight }) => inFlight),
    within,
  };
}

/** A series that went and came again, as of a member that retired, counts from nought. */
function grown(before: Counts | undefined, now: Counts): Counts {
  if (before === undefined || before.requests > now.requests) return now;
  const within = [...now.within].map(([bound, count]) => [bound, count - (before.within.get(bound) ?? 0)] as const);
  return { requests: now.requests - before.requests, errors: now.errors - before.errors, within: new Map(within) };
}
