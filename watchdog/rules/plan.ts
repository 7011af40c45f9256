// Pure. The plan of a round: (slot states, limits, now) -> at most one step a slot, each with its reason. It reads what is, not
// what happened. A slot that needs nothing yields no step, and a step that waits says until when.

import type { Found, Life, Slot } from "../engines/discovery.ts";
import { blockedBy, type DisruptionBudget } from "./disruption-budget.ts";
import { lastWords } from "./last-words.ts";
import { metTakenPort } from "./port-conflict.ts";
import { type SlotState, serves } from "./slot-state.ts";
import { ASKED_MS, type StopIntent } from "./stop-intent.ts";
import { isDoneJob, unknownMember } from "./unknown-members.ts";

export interface PlanLimits {
  readonly missedMax: number;
  readonly startTimeoutMs: number;
}

export type Step =
  /** Put a successor in the place of whatever fills the slot. */
  | {
      readonly kind: "heal";
      readonly slot: Slot;
      readonly reason: string;
      readonly replaces: string | undefined;
      /** Give what it replaces the time to finish its requests. */
      readonly gently: boolean;
      /** So many tries in a row met a taken port: another one of its range. */
      readonly portMoves: number;
    }
  /** The successor does its work: let go of the member before. */
  | { readonly kind: "commit"; readonly slot: Slot; readonly reason: string }
  /** The successor is no good: take it away, and the member before has its place again. */
  | {
      readonly kind: "roll-back";
      readonly slot: Slot;
      readonly reason: string;
      readonly instance: string;
      readonly portTaken: boolean;
    }
  | {
      readonly kind: "wait";
      readonly slot: Slot;
      readonly reason: string;
      readonly untilMs: number;
      /** People have to end the wait: it does not pass by itself. */
      readonly alert: boolean;
    };

type Need =
  | { readonly kind: "none" }
  /** It is dead or gone: replace it at once. */
  | { readonly kind: "dead"; readonly reason: string }
  /** It runs and does not do its work: replace it, but not at any price. */
  | { readonly kind: "sick"; readonly reason: string }
  | { readonly kind: "unclear"; readonly reason: string; readonly untilMs: number; readonly alert: boolean }
  | { readonly kind: "commit"; readonly reason: string }
  | { readonly kind: "roll-back"; readonly reason: string; readonly instance: string; readonly portTaken: boolean };

/** What somebody has created is started by then, or never. */
const CREATED_GRACE_MS = 30_000;
/** So long after it has made a container, at most, Compose has stopped the one before. */
const COMPOSE_STOPS_WITHIN_MS = 60_000;

const NONE: Need = { kind: "none" };
const STRANDED = "the container whose network or volumes it shares is gone";
const DONE = "it ended well and never said where it listens: for all we know it is a job, and done";
const HEALTHY = "its own health check passes";
const STOPPED = "it was stopped on purpose";

export function plan(slotStates: readonly SlotState[], limits: PlanLimits, nowMs: number): Step[] {
  const steps: Step[] = [];
  for (const slotState of slotStates) {
    if (slotState.healing) continue;
    const step = stepFor(slotState, need(slotState, limits, nowMs), { slotStates, steps, limits, nowMs });
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

function need(slotState: SlotState, limits: PlanLimits, nowMs: number): Need {
  const { found, intent, ordered } = slotState;
  if (found?.succeeds !== undefined) return verify(slotState, found, { limits, nowMs });
  if (intent?.kind === "stopped" && found?.life.kind === "previous") return { kind: "commit", reason: STOPPED };
  if (intent?.kind === "stopped" && found?.life.kind !== "running" && !isComposes(intent, found?.life)) return NONE;
  if (found === undefined) return { kind: "dead", reason: "nothing fills the slot" };
  const { life } = found;
  switch (life.kind) {
    case "exited":
      if (isDoneJob(slotState, found)) return { kind: "unclear", reason: DONE, untilMs: nowMs, alert: false };
      return stillAsked(intent, nowMs) ?? { kind: "dead", reason: lastWords(life) };
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

interface Moment {
  readonly limits: PlanLimits;
  readonly nowMs: number;
}

/** A successor has yet to show that it is better than the member before, which is kept until then. */
function verify(
  { intent, probed, seenSinceMs }: SlotState,
  { instance, life, stranded, passesOwnCheck, host, ports }: Found,
  { limits, nowMs }: Moment,
): Need {
  const rollBack = (reason: string): Need => ({ kind: "roll-back", reason, instance, portTaken: metTakenPort(life) });
  switch (life.kind) {
    case "created":
      return rollBack(life.error ?? "it was never started");
    case "exited":
      if (intent?.kind === "stopped") return { kind: "commit", reason: STOPPED };
      return stillAsked(intent, nowMs) ?? rollBack(lastWords(life));
    case "paused":
    case "previous":
      return NONE;
    case "running":
      if (stranded) return rollBack(STRANDED);
      // "Not ready" is an answer too: a proxy whose servers are all away is as sound as it can be.
      if (probed?.kind === "passed" || probed?.kind === "refused") return { kind: "commit", reason: "it answers" };
      if (nowMs - seenSinceMs < limits.startTimeoutMs) return NONE;
      // We have nothing to ask it by, and it is well by all that the engine knows.
      if (passesOwnCheck && (host === undefined || ports === undefined)) return { kind: "commit", reason: HEALTHY };
      return rollBack(`it did not answer within ${limits.startTimeoutMs} ms`);
    default:
      return life satisfies never;
  }
}

function stillAsked(intent: StopIntent | undefined, nowMs: number): Need | undefined {
  if (intent?.kind !== "asked" || nowMs >= intent.atMs + ASKED_MS) return undefined;
  return {
    kind: "unclear",
    reason: "asked to stop; is it meant to stay so?",
    untilMs: intent.atMs + ASKED_MS,
    alert: false,
  };
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
  return { kind: "unclear", reason: `${reason}: docker compose up -d ${slot.id}`, untilMs: nowMs, alert: true };
}

/** Who is out of our sight is judged by its own health check alone. */
function sickness(slotState: SlotState, found: Found, { limits, nowMs }: Moment): Need {
  const { probed, missed, seenSinceMs, held } = slotState;
  if (missed >= limits.missedMax) {
    const why = probed?.kind === "silent" ? probed.reason : "no answer";
    return { kind: "sick", reason: `${missed} probes in a row went unanswered (${why})` };
  }
  if (found.unhealthy) return { kind: "sick", reason: "its own health check fails" };
  if (nowMs - seenSinceMs < limits.startTimeoutMs) return NONE;
  const member = unknownMember(slotState, found, limits.startTimeoutMs);
  if (member.kind === "lost") return { kind: "sick", reason: member.reason };
  if (member.kind === "known" || held !== undefined) return NONE;
  return { kind: "unclear", reason: member.reason, untilMs: nowMs, alert: true };
}

/** The planning of one round. */
interface Planning extends Moment {
  readonly slotStates: readonly SlotState[];
  readonly steps: readonly Step[];
}

function stepFor(slotState: SlotState, needed: Need, planning: Planning): Step | undefined {
  const { slot, held } = slotState;
  const { nowMs } = planning;
  switch (needed.kind) {
    case "none":
      return undefined;
    case "commit":
      return { slot, ...needed };
    case "roll-back":
      if (held === undefined) return { slot, ...needed };
      return { kind: "wait", slot, reason: `held: ${needed.reason}`, untilMs: nowMs, alert: false };
    case "unclear":
      return { slot, ...needed, kind: "wait" };
    case "dead":
    case "sick":
      return replacement(slotState, needed, planning);
    default:
      return needed satisfies never;
  }
}

/** A heal, or what it waits for. */
function replacement(
  slotState: SlotState,
  { kind, reason }: Need & { kind: "dead" | "sick" },
  planning: Planning,
): Step {
  const { slot, found, ordered, portsTaken } = slotState;
  const { nowMs } = planning;
  const blocker = kind === "sick" && !ordered ? blockedBy(slotState, budgetOf(planning)) : undefined;
  const delay = delayOf(slotState, nowMs) ?? (blocker && { why: blocker.why, untilMs: nowMs });
  if (delay !== undefined) {
    const { why, untilMs } = delay;
    return { kind: "wait", slot, reason: `${why}: ${reason}`, untilMs, alert: blocker?.alert ?? false };
  }
  const portMoves = portsTaken + (found !== undefined && metTakenPort(found.life) ? 1 : 0);
  return { kind: "heal", slot, reason, replaces: found?.instance, gently: serves(slotState), portMoves };
}

/** Why nothing is done about the slot yet, whatever is wrong with it, and until when. */
function delayOf({ held, restart, ordered }: SlotState, nowMs: number): { why: string; untilMs: number } | undefined {
  if (held !== undefined) return { why: "held", untilMs: nowMs };
  if (ordered || nowMs >= restart.notBeforeMs) return undefined;
  return { why: restart.kind === "quarantined" ? "quarantined" : "backing off", untilMs: restart.notBeforeMs };
}

function budgetOf({ slotStates, steps, limits }: Planning): DisruptionBudget {
  const healing = new Set(steps.filter(({ kind }) => kind === "heal").map(({ slot }) => slot.id));
  return { slotStates, healing, missedMax: limits.missedMax };
}
