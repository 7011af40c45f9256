// Pure. One tier's opinion of one member (passive health, Envoy's outlier detection): up, ejected, or half-open. It is an opinion on
// use alone; whether the member exists is the watchdog's.
//
//   state \ outcome | unreachable       | failed            | answered | probed              | claimed | released
//   up              | ejected           | 5 in a row:       | up, past | up                  | up      | up
//                   |                   | ejected           | forgotten|                     |         |
//   ejected         | longer, once due  | ejected           | ejected  | once due: half-open | ejected | ejected
//   half-open       | ejected, longer   | ejected, longer   | up       | half-open           | claimed | free again
//
// "Answered" does not end an ejection: it may be the answer to a request sent before the member failed. A half-open member gets one
// request, which claims it, and releases it when it ends without saying anything about the member.

import { type Backoff, backoffMs } from "../../runtime/backoff.ts";
import { failures } from "../rules/failures.ts";
import type { AttemptOutcome } from "../rules/outcome.ts";

export type Health =
  /** `failures` and `ejections` count those in a row. */
  | { readonly kind: "up"; readonly failures: number; readonly ejections: number }
  | { readonly kind: "ejected"; readonly ejections: number; readonly untilMs: number; readonly reason: string }
  | { readonly kind: "half-open"; readonly ejections: number; readonly sinceMs: number; readonly claimed: boolean };

/** What an attempt or a probe says of a member. */
export type Outcome =
  /** A response below 500. */
  | { readonly kind: "answered" }
  /** It could not be reached, or the connection broke. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** It answered with a 5xx, or not in time. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "probed" }
  | { readonly kind: "claimed" }
  | { readonly kind: "released" };

export interface Flip {
  readonly was: Health["kind"];
  readonly now: Health["kind"];
  readonly reason: string;
}

export interface Opinion {
  readonly health: Health;
  /** Set when the state changed, for the log. */
  readonly flip?: Flip;
}

const EJECTION: Backoff = { firstMs: 1_000, maxMs: 60_000 };
/** Failures in a row that eject (Envoy's consecutive_5xx). */
export const FAILURES_MAX = 5;

export const healthy: Health = { kind: "up", failures: 0, ejections: 0 };

export interface Moment {
  readonly nowMs: number;
  /** From [0, 1). */
  readonly random: number;
}

export function observe(health: Health, outcome: Outcome, moment: Moment): Opinion {
  switch (health.kind) {
    case "up":
      return observeUp(health, outcome, moment);
    case "ejected":
      return observeEjected(health, outcome, moment);
    case "half-open":
      return observeHalfOpen(health, outcome, moment);
    default:
      return health satisfies never;
  }
}

/** A client's own fault says nothing about the member, and a half-open one is free again. */
export function outcomeOf(attempt: AttemptOutcome): Outcome {
  if (attempt.kind === "answered") {
    return attempt.status < 500 ? { kind: "answered" } : { kind: "failed", reason: `status ${attempt.status}` };
  }
  const { failure, reason } = attempt;
  const { blame } = failures[failure];
  switch (blame) {
    case "member":
      return { kind: "unreachable", reason };
    case "slow":
      return { kind: "failed", reason };
    case "client":
    case "nobody":
      return { kind: "released" };
    default:
      return blame satisfies never;
  }
}

/** Is it time to ask an ejected member whether it is back? */
export function probeDue(health: Health, nowMs: number): boolean {
  return health.kind === "ejected" && nowMs >= health.untilMs;
}

function observeUp(health: Health & { kind: "up" }, outcome: Outcome, moment: Moment): Opinion {
  if (outcome.kind === "unreachable") return eject(health, outcome.reason, moment);
  if (outcome.kind === "answered") return { health: health.failures + health.ejections > 0 ? healthy : health };
  if (outcome.kind !== "failed") return { health };
  const failures = health.failures + 1;
  if (failures < FAILURES_MAX) return { health: { ...health, failures } };
  return eject(health, `${failures} failures in a row, the last: ${outcome.reason}`, moment);
}

function observeEjected(health: Health & { kind: "ejected" }, outcome: Outcome, moment: Moment): Opinion {
  if (moment.nowMs < health.untilMs) return { health };
  if (outcome.kind === "unreachable") return eject(health, outcome.reason, moment);
  if (outcome.kind !== "probed") return { health };
  const { ejections } = health;
  return flipped(health, { kind: "half-open", ejections, sinceMs: moment.nowMs, claimed: false }, "a probe passed");
}

function observeHalfOpen(health: Health & { kind: "half-open" }, outcome: Outcome, moment: Moment): Opinion {
  switch (outcome.kind) {
    case "answered":
      return flipped(health, { kind: "up", failures: 0, ejections: health.ejections }, "its one request was answered");
    case "unreachable":
    case "failed":
      return eject(health, outcome.reason, moment);
    case "claimed":
      return { health: { ...health, claimed: true } };
    case "released":
      return { health: { ...health, claimed: false } };
    case "probed":
      return { health };
    default:
      return outcome satisfies never;
  }
}

function eject(was: Health, reason: string, { nowMs, random }: Moment): Opinion {
  const ejections = was.ejections + 1;
  const untilMs = nowMs + backoffMs(EJECTION, ejections, random);
  return flipped(was, { kind: "ejected", ejections, untilMs, reason }, reason);
}

function flipped(was: Health, now: Health, reason: string): Opinion {
  return was.kind === now.kind ? { health: now } : { health: now, flip: { was: was.kind, now: now.kind, reason } };
}
