// Pure. The liveness of a slot's member, as its probes in the present run show it: how many it missed in a row, how long it has
// served, since when it is in trouble. A restart begins a new run of the same instance, without the probes of the run before.
//
//   liveness \ probe | passed           | refused     | silent          | none
//   missed           | 0                | 0           | one more        | 0
//   serving since    | as before, or now| no longer   | no longer       | no longer
//   suspected        | no longer        | no longer   | as before       | as before

import type { ProbeResult } from "../../services/runtime/probe.ts";
import type { Found } from "../engines/discovery.ts";

export interface Liveness {
  /** The run of the member that fills the slot, and when this watchdog first saw it. Absent: it never saw one. */
  readonly seen?: { readonly run: string; readonly instance: string; readonly sinceMs: number };
  /** The latest probe of that run. */
  readonly probed?: ProbeResult;
  /** Probes without an answer, in a row, and when the first of them was noticed. */
  readonly missed: number;
  readonly missedSinceMs?: number;
  /** Has it answered one in this run? */
  readonly passed?: true;
  /** Did its own health check pass in this run, or has it none that counts? */
  readonly admitted?: true;
  /** Since when it has passed every probe. */
  readonly servingSinceMs?: number;
  /** How long it served, this time or the last. */
  readonly servedMs: number;
  /** Has a tier said that it cannot reach the member, since it last answered? */
  readonly suspected: boolean;
  /** The first sign of the trouble that the slot is in. */
  readonly troubleSinceMs?: number;
}

export interface HeardProbe {
  readonly result: ProbeResult;
  readonly connection: "new" | "kept";
}

/** The liveness of a member that has yet to be probed. */
export const unprobed: Liveness = { missed: 0, servedMs: 0, suspected: false };

/** Two refusals closer together are one sign of the same trouble, perhaps of a death that the engine is about to tell. */
const SAME_MISS_MS = 250;

/** After a look at the engine's list. The same object: the run is known. */
export function afterLook(liveness: Liveness, { instance, life }: Found, nowMs: number): Liveness {
  const run = `${instance} ${life.kind === "running" ? life.sinceMs : ""}`;
  const { seen, servedMs, troubleSinceMs } = liveness;
  if (seen?.run === run || (seen?.instance === instance && life.kind !== "running")) return liveness;
  const trouble = life.kind === "running" || troubleSinceMs === undefined ? {} : { troubleSinceMs };
  return { ...unprobed, servedMs, seen: { run, instance, sinceMs: nowMs }, ...trouble };
}

/** Nothing but its probes speaks against it from now on, in this run. The same object: that is known. */
export function admitted(liveness: Liveness): Liveness {
  return liveness.admitted ? liveness : { ...liveness, admitted: true };
}

/** After a probe of the present run. The same object: the probe says nothing new. */
export function afterProbe(liveness: Liveness, { result, connection }: HeardProbe, nowMs: number): Liveness {
  const { missed, missedSinceMs = 0, suspected } = liveness;
  if (result.kind === "silent" && missed > 0 && nowMs - missedSinceMs < SAME_MISS_MS) return liveness;
  const after = counted(liveness, result, nowMs);
  // An answer on an old connection does not show that the member takes a new one.
  return suspected && connection === "kept" ? suspect(after) : after;
}

/** @param result undefined: it could not be probed, for it does not run or has not said where it listens */
export function counted(liveness: Liveness, result: ProbeResult | undefined, nowMs: number): Liveness {
  const { missed, missedSinceMs = nowMs, servingSinceMs = nowMs, servedMs, suspected } = liveness;
  const kept = lasting(liveness);
  switch (result?.kind) {
    case "passed":
      return {
        ...kept,
        probed: result,
        passed: true,
        missed: 0,
        servingSinceMs,
        servedMs: nowMs - servingSinceMs,
        suspected: false,
      };
    case "refused":
      return { ...kept, probed: result, missed: 0, servedMs, suspected: false };
    case "silent":
      return { ...kept, probed: result, missed: missed + 1, missedSinceMs, servedMs, suspected };
    case undefined:
      return { ...kept, missed: 0, servedMs, suspected };
    default:
      return result satisfies never;
  }
}

/** A tier cannot reach the member. */
export function suspect(liveness: Liveness): Liveness {
  return { ...liveness, suspected: true };
}

/** The engine has told of an instance's death. */
export function afterDeath(liveness: Liveness, instance: string, nowMs: number): Liveness {
  return liveness.seen?.instance === instance ? { ...liveness, troubleSinceMs: nowMs, ...lasting(liveness) } : liveness;
}

/** A successor is on its way. */
export function afterHeal(liveness: Liveness): Liveness {
  return { ...unprobed, ...lasting(liveness) };
}

/** Once a round's probes are in: a member that answers is in no trouble, any other one is, since now or before. */
export function afterRound(liveness: Liveness, nowMs: number): Liveness {
  const { troubleSinceMs, ...rest } = liveness;
  if (rest.probed?.kind === "passed" || rest.probed?.kind === "refused") return rest;
  return rest.seen === undefined ? liveness : { ...rest, troubleSinceMs: troubleSinceMs ?? nowMs };
}

/** The part that no other probe changes. */
function lasting({ seen, passed, admitted: isAdmitted, troubleSinceMs }: Liveness): Lasting {
  return {
    ...(seen && { seen }),
    ...(passed && { passed }),
    ...(isAdmitted && { admitted: isAdmitted }),
    ...(troubleSinceMs !== undefined && { troubleSinceMs }),
  };
}

type Lasting = Pick<Liveness, "seen" | "passed" | "admitted" | "troubleSinceMs">;
