// Pure. One tier's opinion of one member: up, ejected, or on trial. (health, witness, now, random) -> health, and what flipped.
// It is an opinion on use alone; whether the member exists is the watchdog's.
//
//   state \ witness | unreachable       | failed            | answered | probed          | claimed | released
//   up              | ejected           | 5 in a row:       | up, past | up              | up      | up
//                   |                   | ejected           | forgotten|                 |         |
//   ejected         | longer, once due  | ejected           | ejected  | once due: trial | ejected | ejected
//   trial           | ejected, longer   | ejected, longer   | up       | trial           | claimed | free again
//
// "Answered" does not end an ejection: it may be the answer to a request sent before the member failed. A trial is one
// request: claimed by the request that makes it, released when that ends without saying anything about the member.

import { type Backoff, backoffMs } from "../../runtime/backoff.ts";

export type Health =
  /** `failures` and `ejections` count those in a row. */
  | { readonly kind: "up"; readonly failures: number; readonly ejections: number }
  | { readonly kind: "ejected"; readonly ejections: number; readonly untilMs: number; readonly reason: string }
  | { readonly kind: "trial"; readonly ejections: number; readonly claimed: boolean };

export type Witness =
  /** A response below 500. */
  | { readonly kind: "answered" }
  /** It could not be reached, or the connection broke. */
  | { readonly kind: "unreachable"; readonly reason: string }
  /** It answered with a 5xx, or not in time. */
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "probed" }
  | { readonly kind: "claimed" }
  | { readonly kind: "released" };

export interface Opinion {
  readonly health: Health;
  /** Set when the state changed, for the log. */
  readonly flip?: { readonly was: Health["kind"]; readonly now: Health["kind"]; readonly reason: string };
}

const EJECTION: Backoff = { firstMs: 1_000, maxMs: 60_000 };
/** Failures in a row that eject (Envoy's consecutive_5xx). */
export const FAILURES_MAX = 5;

export const healthy: Health = { kind: "up", failures: 0, ejections: 0 };

/** @param random from [0, 1) */
export function observe(health: Health, witness: Witness, nowMs: number, random: number): Opinion {
  switch (health.kind) {
    case "up":
      return observeUp(health, witness, { nowMs, random });
    case "ejected":
      return observeEjected(health, witness, { nowMs, random });
    case "trial":
      return observeTrial(health, witness, { nowMs, random });
    default:
      return health satisfies never;
  }
}

/** Is it time to ask an ejected member whether it is back? */
export function probeDue(health: Health, nowMs: number): boolean {
  return health.kind === "ejected" && nowMs >= health.untilMs;
}

interface Moment {
  readonly nowMs: number;
  readonly random: number;
}

function observeUp(health: Health & { kind: "up" }, witness: Witness, moment: Moment): Opinion {
  if (witness.kind === "unreachable") return eject(health, witness.reason, moment);
  if (witness.kind === "answered") return { health: health.failures + health.ejections > 0 ? healthy : health };
  if (witness.kind !== "failed") return { health };
  const failures = health.failures + 1;
  if (failures < FAILURES_MAX) return { health: { ...health, failures } };
  return eject(health, `${failures} failures in a row, the last: ${witness.reason}`, moment);
}

function observeEjected(health: Health & { kind: "ejected" }, witness: Witness, moment: Moment): Opinion {
  if (moment.nowMs < health.untilMs) return { health };
  if (witness.kind === "unreachable") return eject(health, witness.reason, moment);
  if (witness.kind !== "probed") return { health };
  return flipped(health, { kind: "trial", ejections: health.ejections, claimed: false }, "a probe passed");
}

function observeTrial(health: Health & { kind: "trial" }, witness: Witness, moment: Moment): Opinion {
  switch (witness.kind) {
    case "answered":
      return flipped(health, { kind: "up", failures: 0, ejections: health.ejections }, "its trial was answered");
    case "unreachable":
    case "failed":
      return eject(health, witness.reason, moment);
    case "claimed":
      return { health: { ...health, claimed: true } };
    case "released":
      return { health: { ...health, claimed: false } };
    case "probed":
      return { health };
    default:
      return witness satisfies never;
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
