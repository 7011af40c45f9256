// Pure. What to do about each slot, and why: (slots with what was observed of them, now) -> steps.
// It reads what is, not what happened; a slot that needs nothing yields no step, and a step that waits says until when.

import type { ProbeResult } from "../services/tier/probe.ts";
import type { Found, Slot } from "./engine.ts";
import { ASKED_MS, type Wish } from "./intent.ts";
import type { RestartRecord } from "./restart.ts";

/** One slot with everything that speaks about it. */
export interface Situation {
  readonly slot: Slot;
  /** Absent: nothing fills the slot. */
  readonly found?: Found;
  /** Since when this watchdog has known the member that fills it. */
  readonly seenSinceMs: number;
  /** What somebody wished of the member that fills the slot, or of the last one that did. */
  readonly wish?: Wish;
  /** The latest probe; absent until the member has told its ports. */
  readonly probed?: ProbeResult;
  /** Probes without an answer, in a row. */
  readonly missed: number;
  readonly restart: RestartRecord;
  /** Somebody took it over: nothing is done about it until it is released. */
  readonly held?: { readonly sinceMs: number };
  /** Has a heal of it begun and not ended? */
  readonly healing: boolean;
}

export interface Limits {
  readonly missedMax: number;
  readonly startTimeoutMs: number;
}

export type Step =
  | { readonly kind: "heal"; readonly slot: Slot; readonly reason: string; readonly replaces: string | undefined }
  | { readonly kind: "wait"; readonly slot: Slot; readonly reason: string; readonly untilMs: number };

type Need =
  | { readonly kind: "none" }
  /** It is dead or gone: replace it at once. */
  | { readonly kind: "dead"; readonly reason: string }
  /** It runs and does not do its work: replace it, but one at a time in its tier. */
  | { readonly kind: "sick"; readonly reason: string }
  | { readonly kind: "unclear"; readonly reason: string; readonly untilMs: number };

export function plan(situations: readonly Situation[], limits: Limits, nowMs: number): Step[] {
  const steps: Step[] = [];
  for (const situation of situations) {
    if (situation.healing) continue;
    const step = stepFor(situation, need(situation, limits, nowMs), { situations, steps, nowMs });
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

/** Passed its last probe: it would take traffic. */
export function serves({ found, probed }: Situation): boolean {
  return found?.life.kind === "running" && probed?.kind === "passed";
}

function need({ found, wish, seenSinceMs, ...rest }: Situation, limits: Limits, nowMs: number): Need {
  if (wish?.kind === "stopped" && found?.life.kind !== "running") return { kind: "none" };
  if (found === undefined) return { kind: "dead", reason: "nothing fills the slot" };
  const { life } = found;
  switch (life.kind) {
    case "exited":
      if (wish?.kind === "asked" && nowMs < wish.atMs + ASKED_MS) {
        return { kind: "unclear", reason: "asked to stop; is it meant to stay so?", untilMs: wish.atMs + ASKED_MS };
      }
      return { kind: "dead", reason: lastWords(life) };
    case "created":
      return life.error === undefined ? { kind: "none" } : { kind: "dead", reason: `it did not start: ${life.error}` };
    case "paused":
      // Somebody's hand, for a backup say: what is paused is waited for (autoheal#98).
      return { kind: "none" };
    case "running":
      return sickness({ found, knownForMs: nowMs - Math.max(life.sinceMs, seenSinceMs), ...rest }, limits);
    default:
      return life satisfies never;
  }
}

interface Running extends Pick<Situation, "probed" | "missed"> {
  readonly found: Found;
  readonly knownForMs: number;
}

function sickness({ found, probed, missed, knownForMs }: Running, { missedMax, startTimeoutMs }: Limits): Need {
  if (missed >= missedMax) {
    const why = probed?.kind === "silent" ? probed.reason : "no answer";
    return { kind: "sick", reason: `${missed} probes in a row went unanswered (${why})` };
  }
  if (found.unhealthy) return { kind: "sick", reason: "its own health check fails" };
  if (found.ports === undefined && knownForMs >= startTimeoutMs) {
    return { kind: "sick", reason: `it did not say where it listens within ${startTimeoutMs} ms` };
  }
  return { kind: "none" };
}

interface Round {
  readonly situations: readonly Situation[];
  readonly steps: readonly Step[];
  readonly nowMs: number;
}

function stepFor(situation: Situation, needed: Need, round: Round): Step | undefined {
  if (needed.kind === "none") return undefined;
  const { slot, found, restart } = situation;
  const { reason } = needed;
  if (needed.kind === "unclear") return { kind: "wait", slot, reason, untilMs: needed.untilMs };
  if (round.nowMs < restart.notBeforeMs) {
    const how = restart.kind === "quarantined" ? "quarantined" : "backing off";
    return { kind: "wait", slot, reason: `${how}: ${reason}`, untilMs: restart.notBeforeMs };
  }
  const hindrance = needed.kind === "sick" ? whyNotNow(situation, round) : undefined;
  if (hindrance !== undefined) return { kind: "wait", slot, reason: `${hindrance}: ${reason}`, untilMs: round.nowMs };
  return { kind: "heal", slot, reason, replaces: found?.instance };
}

/** The sick are replaced one at a time per tier, and one that still answers never as the last that does. */
function whyNotNow(situation: Situation, { situations, steps }: Round): string | undefined {
  const others = situations.filter(({ slot }) => slot.role === situation.slot.role && slot.id !== situation.slot.id);
  const busy = others.find(
    (other) => other.healing || steps.some(({ kind, slot }) => kind === "heal" && slot.id === other.slot.id),
  );
  if (busy !== undefined) return `after ${busy.slot.id}`;
  if (serves(situation) && !others.some(serves)) return `the last ${situation.slot.role} that serves stays`;
  return undefined;
}

function lastWords({ code, signal, oom }: { code: number | undefined; signal?: string; oom: boolean }): string {
  if (oom) return "it was killed for lack of memory";
  if (signal !== undefined) return `it was killed by ${signal}`;
  // A shell's convention, and Docker's: 128 and the signal's number.
  if (code !== undefined && code > 128) return `it exited with code ${code} (signal ${code - 128})`;
  return `it exited with code ${code ?? "unknown"}`;
}
