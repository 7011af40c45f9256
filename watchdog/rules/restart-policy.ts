// Pure. One slot's record of its heals: may it be healed now, after a delay, or is it quarantined?
// The score grows by one with each heal (thejerf/suture's decaying counter: one number, no list). It halves with every 10 s that
// the member was in traffic, and every 200 s that it was not. So a slot that serves between its failures is healed at once
// every time, and a slot that fails as soon as it has started, at whatever pace, is quarantined in the end.
//
//   normal       --heal, score at most 5-->  normal: at once the first time, then 0.5 s doubled to 30 s
//   normal       --heal, score above 5----->  quarantined: one heal every 60 s, never given up
//   quarantined  --60 s in traffic--------->  normal, nothing remembered

import { type Backoff, backoffMs } from "../../services/runtime/backoff.ts";

export type RestartRecord =
  | { readonly kind: "normal"; readonly score: number; readonly atMs: number; readonly notBeforeMs: number }
  | { readonly kind: "quarantined"; readonly sinceMs: number; readonly notBeforeMs: number };

const HALF_LIFE_MS = 200_000;
const HALF_LIFE_IN_TRAFFIC_MS = 10_000;
const SCORE_MAX = 5;
const BACKOFF: Backoff = { firstMs: 500, maxMs: 30_000 };
export const QUARANTINE_MS = 60_000;
/** This long in traffic and the past is forgotten. */
export const FORGIVEN_AFTER_MS = 60_000;

export const unblemished: RestartRecord = { kind: "normal", score: 0, atMs: 0, notBeforeMs: 0 };

export interface HealMoment {
  readonly nowMs: number;
  /** How long the member that is replaced has been in traffic. */
  readonly servedMs: number;
  /** From [0, 1): the jitter. */
  readonly random: number;
}

/** The record after a heal. */
export function healed(record: RestartRecord, { nowMs, servedMs, random }: HealMoment): RestartRecord {
  if (record.kind === "quarantined") return { ...record, notBeforeMs: nowMs + QUARANTINE_MS };
  const idleMs = Math.max(0, nowMs - record.atMs - servedMs);
  const halvings = idleMs / HALF_LIFE_MS + servedMs / HALF_LIFE_IN_TRAFFIC_MS;
  const score = record.score * 2 ** -halvings + 1;
  if (score > SCORE_MAX) return { kind: "quarantined", sinceMs: nowMs, notBeforeMs: nowMs + QUARANTINE_MS };
  const delayMs = backoffMs(BACKOFF, Math.round(score), random);
  // The first heal in a long while leaves a short delay: only a second failure soon after it has to wait.
  return { kind: "normal", score, atMs: nowMs, notBeforeMs: nowMs + Math.floor(delayMs) };
}

/** The record of a member that has been in traffic for a while. */
export function served(record: RestartRecord, forMs: number): RestartRecord {
  return forMs >= FORGIVEN_AFTER_MS ? unblemished : record;
}

/** An earlier watchdog's record. A clock that was set back since must not make a slot wait for longer than it ever would. */
export function recalled(record: RestartRecord, nowMs: number): RestartRecord {
  const notBeforeMs = Math.min(record.notBeforeMs, nowMs + QUARANTINE_MS);
  return record.kind === "normal"
    ? { ...record, atMs: Math.min(record.atMs, nowMs), notBeforeMs }
    : { ...record, notBeforeMs };
}
