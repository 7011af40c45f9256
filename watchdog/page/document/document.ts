// Pure. What the status page shows, as data: made by the watchdog, sent in parts as they change, drawn by view/ in the watchdog and in the
// browser alike. Types alone.

import type { RollRow, ScaleRow } from "../../api/schema.ts";
import type { IncidentSummary } from "../../incidents/incident.ts";
import type { TrafficShown } from "../../traffic/figures.ts";

/** In a word, from the best to the worst; unknown: nobody has looked, or the last look is too old to be believed. */
export type Word = "serving" | "degraded" | "outage" | "unknown";

/** `off`: somebody's will, and no failure. */
export type Severity = "good" | "odd" | "bad" | "off";

export interface MemberShown {
  readonly id: string;
  readonly role: string;
  readonly service: string;
  /** Of a server or a worker. */
  readonly pool: string | null;
  readonly group: string | null;
  /** In a word or two, such as "serving" or "stopped on purpose". */
  readonly status: string;
  readonly severity: Severity;
  /** Why it is so; empty where the word says all. */
  readonly reason: string;
  readonly sinceMs: number | null;
  /** What the watchdog is about to do; empty: nothing. */
  readonly next: string;
  /** What else is not as usual, such as "held". */
  readonly remarks: readonly string[];
  readonly address: string | null;
  readonly version: string | null;
  readonly weight: number | null;
  /** How many times the slot was filled anew. */
  readonly restarts: number;
  /** The last probe, in words. */
  readonly probe: string;
  /** What gets it out of an odd state where the watchdog does not do that by itself. */
  readonly command: string | null;
  readonly held: boolean;
  readonly paused: boolean;
}

export interface PoolShown {
  readonly name: string;
  readonly kind: "servers" | "workers";
  readonly services: readonly string[];
  /** Such as "a.org/api". */
  readonly routes: readonly string[];
  readonly serving: number;
  readonly of: number;
  readonly word: Word | "stopped";
  readonly paused: boolean;
}

export interface Overview {
  readonly word: Word;
  /** Why, in one line. */
  readonly reason: string;
  /** Why the watchdog's rounds fail; null: they do not. */
  readonly failing: string | null;
  readonly project: string;
  readonly version: string;
  readonly registryVersion: number;
  /** Since when this watchdog has been at work. */
  readonly watchdogSinceMs: number;
  /** Is there a token by which orders are taken? */
  readonly takesOrders: boolean;
}

export interface StateShown {
  readonly overview: Overview;
  readonly members: readonly MemberShown[];
  readonly pools: readonly PoolShown[];
  readonly rolls: readonly RollRow[];
  readonly scales: readonly ScaleRow[];
}

/** When members were last probed, in ms since 1970. Sent apart from the state, as it is another one each round. */
export interface ProbesShown {
  /** The latest of all; null: there was none yet. */
  readonly latestMs: number | null;
  /** By member, where its own was long before. */
  readonly longAgoMs: Readonly<Record<string, number>>;
}

/** The parts that are sent by themselves. */
export interface PageParts {
  readonly state: StateShown;
  readonly probes: ProbesShown;
  /** The newest first. */
  readonly incidents: readonly IncidentSummary[];
  /** Null: nothing is known of the traffic yet. */
  readonly traffic: TrafficShown | null;
}
