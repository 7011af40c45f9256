// Pure. What one slot needs, by what a round knows of it; whether it may have that now is the plan's question (plan.ts).

import { serviceOf } from "../desired/slot.ts";
import type { Found, Life } from "../engines/discovery.ts";
import { lastWords } from "./last-words.ts";
import { metTakenPort } from "./port-conflict.ts";
import type { SlotState } from "./slot-state.ts";
import { ASKED_MS, askedUntilMs, type StopIntent } from "./stop-intent.ts";
import { isDoneJob, unknownMember } from "./unknown-members.ts";

export interface PlanLimits {
  readonly missedMax: number;
  readonly startTimeoutMs: number;
}

export type Need =
  | { readonly kind: "none" }
  /** It is dead or gone: replace it at once. */
  | { readonly kind: "dead"; readonly reason: string }
  /** It runs and does not do its work: replace it, but not at any price. */
  | { readonly kind: "sick"; readonly reason: string }
  | { readonly kind: "unclear"; readonly reason: string; readonly untilMs: number; readonly alert: boolean }
  | { readonly kind: "commit" | "forget"; readonly reason: string }
  | { readonly kind: "roll-back"; readonly reason: string; readonly instance: string; readonly portTaken: boolean };

/** What somebody has created is started by then, or never. */
const CREATED_GRACE_MS = 30_000;
/** So long after it has made a container, at most, Compose has stopped the one before. */
const COMPOSE_STOPS_WITHIN_MS = 60_000;

const NONE: Need = { kind: "none" };
const STRANDED = "the container whose network or volumes it shares is gone";
const DONE = "it ended well: it is a job, and done";
const HEALTHY = "its own health check passes";
const STOPPED = "it was stopped on purpose";

export interface Judging {
  readonly limits: PlanLimits;
  readonly nowMs: number;
}

export function need(slotState: SlotState, limits: PlanLimits, nowMs: number): Need {
  const { slot, found, intent, ordered } = slotState;
  if (slot.faults !== undefined)
    return { kind: "unclear", reason: slot.faults.join("; "), untilMs: nowMs, alert: true };
  if (found?.succeeds !== undefined) return verify(slotState, found, { limits, nowMs });
  if (intent?.kind === "stopped" && found?.life.kind === "previous") return { kind: "commit", reason: STOPPED };
  // Stopped and removed: by `docker compose up --scale` or `rm`. Compose alone knows how many there are to be.
  const isTakenAway = intent?.kind === "stopped" && found === undefined && slot.service !== undefined;
  if (isTakenAway && slot.id !== slot.service) return { kind: "forget", reason: "it was stopped and taken away" };
  if (intent?.kind === "stopped" && found?.life.kind !== "running" && !isComposes(intent, found?.life)) return NONE;
  // That it is gone may be seen before it is heard that it was stopped.
  if (found === undefined) return stillAsked(intent, nowMs) ?? { kind: "dead", reason: "nothing fills the slot" };
  const { life } = found;
  switch (life.kind) {
    case "exited":
      if (isDoneJob(slotState, found)) return { kind: "unclear", reason: DONE, untilMs: nowMs, alert: false };
      return stillAsked(intent, nowMs, found) ?? { kind: "dead", reason: lastWords(life) };
    case "created":
      return neverStarted(slotState, found, nowMs);
    case "previous":
      return { kind: "dead", reason: "its successor is not there" };
    case "paused":
      // Somebody's hand, for a backup say: what is paused is waited for (autoheal#98).
      return NONE;
    case "running":
      // On its way out, on purpose: whether it answers is no longer the question.
      if (intent?.kind === "asked" && intent.toStop) return NONE;
      if (ordered) return { kind: "sick", reason: "an operator asked for it" };
      if (found.stranded) return { kind: "dead", reason: STRANDED };
      return sickness(slotState, found, { limits, nowMs });
    default:
      return life satisfies never;
  }
}

/** A successor has yet to show that it is better than the member before, which is kept until then. */
function verify({ intent, probed, gated, seenSinceMs }: SlotState, found: Found, { limits, nowMs }: Judging): Need {
  const { instance, life, stranded, passesOwnCheck, host, ports } = found;
  const rollBack = (reason: string): Need => ({ kind: "roll-back", reason, instance, portTaken: metTakenPort(life) });
  switch (life.kind) {
    case "created":
      return rollBack(life.error ?? "it was never started");
    case "exited":
      if (intent?.kind === "stopped") return { kind: "commit", reason: STOPPED };
      return stillAsked(intent, nowMs, found) ?? rollBack(lastWords(life));
    case "paused":
    case "previous":
      return NONE;
    case "running":
      if (stranded) return rollBack(STRANDED);
      // The engine says in the end which it is.
      if (gated) return found.unhealthy ? rollBack("its own health check fails") : NONE;
      // "Not ready" is an answer too: a proxy whose servers are all away is as sound as it can be.
      if (probed?.kind === "passed" || probed?.kind === "refused") return { kind: "commit", reason: "it answers" };
      if (nowMs - seenSinceMs < startMsOf(found, limits)) return NONE;
      // We have nothing to ask it by, and it is well by all that the engine knows.
      if (passesOwnCheck && (host === undefined || ports === undefined)) return { kind: "commit", reason: HEALTHY };
      return rollBack(`it did not answer within ${startMsOf(found, limits)} ms`);
    default:
      return life satisfies never;
  }
}

/** Its label, or what its image exposes, is not where it listens. */
function deafAt({ ports, portTold }: Found): string {
  const where =
    portTold === undefined
      ? "set evenkeel.port to where it listens, or let it listen on all addresses and not on its own loopback alone"
      : `let it listen on the port that its variable ${portTold} says, or name another variable with --port-env`;
  return `nothing listens on port ${ports?.port}: ${where}`;
}

function startMsOf({ startMs }: Found, { startTimeoutMs }: PlanLimits): number {
  return startMs ?? startTimeoutMs;
}

/** Whoever takes long to stop may be seen to have ended before that is heard, and the word that it was on purpose comes after. */
function stillAsked(intent: StopIntent | undefined, nowMs: number, found?: Found): Need | undefined {
  if (intent?.kind !== "asked") return undefined;
  const heardOfEnd = !intent.toStop || intent.engineMs !== intent.beganMs;
  const untilMs = heardOfEnd ? intent.atMs + ASKED_MS : askedUntilMs(intent, found?.stopTimeoutMs);
  if (nowMs >= untilMs) return undefined;
  return { kind: "unclear", reason: "asked to stop; is it meant to stay so?", untilMs, alert: false };
}

/** Compose makes the new container, and then stops the one before. */
function isComposes(intent: StopIntent, life: Life | undefined): boolean {
  if (life?.kind !== "created" || life.madeMs === undefined) return false;
  return intent.engineMs >= life.madeMs && intent.engineMs < life.madeMs + COMPOSE_STOPS_WITHIN_MS;
}

/**
 * Compose starts what it creates in its own time, which an interrupted `docker compose up --force-recreate` never comes to; what
 * we created, and did not come to start, is ours to replace. In a slot that nobody ever filled, nothing has failed.
 */
function neverStarted({ slot, filledBefore, seenSinceMs }: SlotState, { life, ours }: Found, nowMs: number): Need {
  const { error } = life as Life & { kind: "created" };
  if (error !== undefined) return { kind: "dead", reason: `it did not start: ${error}` };
  const reason = "it was created and never started";
  if (ours) return { kind: "dead", reason };
  if (nowMs < seenSinceMs + CREATED_GRACE_MS) return NONE;
  if (filledBefore) return { kind: "dead", reason };
  return { kind: "unclear", reason: `${reason}: docker compose up -d ${serviceOf(slot)}`, untilMs: nowMs, alert: true };
}

/** Who is out of our sight is judged by its own health check alone. */
function sickness(slotState: SlotState, found: Found, { limits, nowMs }: Judging): Need {
  const { probed, missed, answered, seenSinceMs, held } = slotState;
  // One that tells nobody when it begins to listen is asked from its first moment on.
  const starts = found.startMs !== undefined && !answered && nowMs - seenSinceMs < found.startMs;
  if (missed >= limits.missedMax && !starts) {
    const why = probed?.kind === "silent" ? probed.reason : "no answer";
    if (found.startMs !== undefined && !answered && why === "ECONNREFUSED")
      return { kind: "sick", reason: deafAt(found) };
    return { kind: "sick", reason: `${missed} probes in a row went unanswered (${why})` };
  }
  if (found.unhealthy) return { kind: "sick", reason: "its own health check fails" };
  if (nowMs - seenSinceMs < startMsOf(found, limits)) return NONE;
  const { check } = found;
  if (probed?.kind === "refused" && check?.path !== undefined) {
    const reason = `GET ${check.path} answered ${probed.status}; wanted 200 to 399`;
    return { kind: "unclear", reason, untilMs: nowMs, alert: true };
  }
  const member = unknownMember(slotState, found, limits.startTimeoutMs);
  if (member.kind === "lost") return { kind: "sick", reason: member.reason };
  if (member.kind === "known" || held !== undefined) return NONE;
  return { kind: "unclear", reason: member.reason, untilMs: nowMs, alert: true };
}
