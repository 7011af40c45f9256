// Pure. One slot's record of its heals: may it be healed now, after a delay, or is it quarantined?
// The score grows by one with each heal and halves every 200 s (thejerf/suture's decaying counter: one number, no list), so
// slowly that a slot which fails at any pace faster than a minute, after which it is forgiven, is quarantined in the end.
//
//   normal       --heal, score at most 5-->  normal: at once the first time, then 0.5 s doubled to 30 s
//   normal       --heal, score above 5----->  quarantined: one heal every 60 s, never given up
//   quarantined  --60 s in traffic--------->  normal, nothing remembered

export type RestartRecord =
  | { readonly kind: "normal"; readonly score: number; readonly atMs: number; readonly notBeforeMs: number }
  | { readonly kind: "quarantined"; readonly sinceMs: number; readonly notBeforeMs: number };

const HALF_LIFE_MS = 200_000;
const SCORE_MAX = 5;
const DELAY_MS_MIN = 500;
const DELAY_MS_MAX = 30_000;
const QUARANTINE_MS = 60_000;
/** This long in traffic and the past is forgotten. */
export const FORGIVEN_AFTER_MS = 60_000;

export const unblemished: RestartRecord = { kind: "normal", score: 0, atMs: 0, notBeforeMs: 0 };

/** The record after a heal. @param random from [0, 1): the jitter, up to half of the delay on top */
export function healed(record: RestartRecord, nowMs: number, random: number): RestartRecord {
  if (record.kind === "quarantined") return { ...record, notBeforeMs: nowMs + QUARANTINE_MS };
  const score = record.score * 2 ** (-(nowMs - record.atMs) / HALF_LIFE_MS) + 1;
  if (score > SCORE_MAX) return { kind: "quarantined", sinceMs: nowMs, notBeforeMs: nowMs + QUARANTINE_MS };
  const delay = Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** Math.round(score - 1));
  // The first heal in a long while leaves no delay behind worth the name: a second failure soon after it waits.
  return { kind: "normal", score, atMs: nowMs, notBeforeMs: nowMs + Math.floor(delay * (1 + random / 2)) };
}

/** The record of a member that has been in traffic for a while. */
export function served(record: RestartRecord, forMs: number): RestartRecord {
  return forMs >= FORGIVEN_AFTER_MS ? unblemished : record;
}
