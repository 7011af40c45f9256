// Pure. The table of what is measured: under which load, on which tiers, over which servers. Order is the order of the run;
// neighbours on the same stage share its processes.

import type { Request } from "./load/result.ts";
import type { Manner } from "./origins.ts";

/** What has to be running. */
export interface Stage {
  /** A balancer over two proxies over six servers; or one tier alone over so many members, which are static servers. */
  readonly tiers: "chain" | "balancer" | "proxy";
  readonly members: number;
  readonly manner: Manner;
  /** Set where the default of a stack would be in the way. */
  readonly connectionsMax?: number;
}

export type Measure =
  /** So many connections, each with its next request at once. `mayFail`: answers other than 200 are counted, not wrong. */
  | { readonly kind: "closed"; readonly connections: number; readonly request: Request; readonly mayFail?: true }
  /** Requests by the clock, at these multiples of what the stack can do; then at a half, to see it come back. */
  | { readonly kind: "overload"; readonly factors: readonly number[] }
  /** Fresh processes, so many connections that do nothing. */
  | { readonly kind: "idle"; readonly connections: number }
  /** Fresh processes, and the memory of each tier once so many requests are done. */
  | { readonly kind: "long"; readonly connections: number; readonly marks: readonly number[] }
  /** Fresh processes, one body of so many bytes down, then up, then both ways at once. */
  | { readonly kind: "large"; readonly bytes: number }
  /** Fresh processes, their first seconds in slices. */
  | { readonly kind: "cold"; readonly connections: number; readonly slices: number; readonly sliceSeconds: number };

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** For a plot: one line or two, of ten letters. */
  readonly label: string;
  readonly stage: Stage;
  readonly measure: Measure;
  /** Part of `--short`. */
  readonly short?: true;
}

const MEGABYTE = 1_048_576;
/** A body that no buffer can hold. */
export const HUGE_BYTES = 1_024 * MEGABYTE;
export const SMALL: Request = { path: "/" };

const chain: Stage = { tiers: "chain", members: 6, manner: "plain" };

export const scenarios: readonly Scenario[] = [
  get(1, { short: true }),
  get(64, { short: true }),
  get(256),
  get(512, { short: true }),
  {
    name: "new-connection",
    about: "small GET, a new connection a request, 64 at a time",
    label: "new conn.\na request",
    stage: chain,
    measure: { kind: "closed", connections: 64, request: { path: "/", close: true } },
    short: true,
  },
  {
    name: "download",
    about: "GET of 1 MB at 32 connections",
    label: "1 MB\ndown",
    stage: chain,
    measure: { kind: "closed", connections: 32, request: { path: "/big" } },
    short: true,
  },
  {
    name: "upload",
    about: "POST of 1 MB at 32 connections",
    label: "1 MB\nup",
    stage: chain,
    measure: { kind: "closed", connections: 32, request: { path: "/up", method: "POST", bodyBytes: MEGABYTE } },
    short: true,
  },
  {
    name: "overload",
    about: "open loop at multiples of the stack's own capacity",
    label: "overload",
    stage: chain,
    measure: { kind: "overload", factors: [0.5, 1, 2, 4] },
  },
  {
    name: "failing",
    about: "small GET at 64 connections, servers that close 5 % of requests without an answer",
    label: "5 %\nfailing",
    stage: { ...chain, manner: "failing" },
    measure: { kind: "closed", connections: 64, request: SMALL, mayFail: true },
  },
  {
    name: "slow",
    about: "small GET at 1,000 connections, servers that take 100 ms",
    label: "100 ms,\n1,000 at once",
    stage: { ...chain, manner: "slow" },
    measure: { kind: "closed", connections: 1_000, request: SMALL, mayFail: true },
  },
  {
    name: "idle",
    about: "10,000 idle connections",
    label: "idle",
    stage: { ...chain, connectionsMax: 12_000 },
    measure: { kind: "idle", connections: 10_000 },
  },
  {
    name: "million",
    about: "memory of each tier at its most, small GET at 512 connections",
    label: "1,000,000\nrequests",
    stage: chain,
    measure: { kind: "long", connections: 512, marks: [50_000, 500_000, 1_000_000] },
  },
  {
    name: "gigabyte",
    about: "one body of 1 GiB, and by how much it lets a tier grow at most",
    label: "1 GiB",
    stage: chain,
    measure: { kind: "large", bytes: HUGE_BYTES },
  },
  {
    name: "cold",
    about: "the first seconds after a start, small GET at 64 connections",
    label: "cold",
    stage: chain,
    measure: { kind: "cold", connections: 64, slices: 4, sliceSeconds: 3 },
  },
  ...[2, 8, 32, 64].map((members) => grown("balancer", members)),
  ...[6, 60, 600].map((members) => grown("proxy", members)),
];

function get(connections: number, short: { readonly short?: true } = {}): Scenario {
  const measure: Measure = { kind: "closed", connections, request: SMALL };
  const about = `small GET at ${connections} connection${connections === 1 ? "" : "s"}`;
  return { name: `get-${connections}`, about, label: `GET,\n${connections} conn.`, stage: chain, measure, ...short };
}

function grown(tiers: "balancer" | "proxy", members: number): Scenario {
  const below = tiers === "balancer" ? "proxies" : "servers";
  return {
    name: `${below}-${members}`,
    about: `small GET at 64 connections, a ${tiers} alone over ${members} ${below}`,
    label: `${members} ${below}`,
    stage: { tiers, members, manner: "plain" },
    measure: { kind: "closed", connections: 64, request: SMALL },
  };
}

/** What a plot calls it. */
export function labelOf(name: string): string {
  return scenarios.find((each) => each.name === name)?.label ?? name;
}
