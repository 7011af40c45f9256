// Pure. What one member's probes say over time: how many it missed in a row and since when, and how long it has served.
//
//   pulse \ probe | passed           | refused     | silent          | none
//   missed        | 0                | 0           | one more        | 0
//   serving since | as before, or now| no longer   | no longer       | no longer
//   suspected     | no longer        | no longer   | as before       | as before

import type { ProbeResult } from "../../services/runtime/probe.ts";

export interface Pulse {
  /** Probes without an answer, in a row, and when the first of them was noticed. */
  readonly missed: number;
  readonly missedSinceMs?: number;
  /** Since when it has passed every probe. */
  readonly servingSinceMs?: number;
  /** How long it served, this time or the last. */
  readonly servedMs: number;
  /** Has a tier said that it cannot reach it, since it last answered? */
  readonly suspected: boolean;
}

/** Of a member that has yet to be probed. */
export const noPulse: Pulse = { missed: 0, servedMs: 0, suspected: false };

/** @param probed undefined: it could not be probed, for it does not run or has not said where */
export function beat(pulse: Pulse, probed: ProbeResult | undefined, nowMs: number): Pulse {
  const { missed, missedSinceMs = nowMs, servingSinceMs = nowMs, servedMs, suspected } = pulse;
  switch (probed?.kind) {
    case "passed":
      return { missed: 0, servingSinceMs, servedMs: nowMs - servingSinceMs, suspected: false };
    case "refused":
      return { missed: 0, servedMs, suspected: false };
    case "silent":
      return { missed: missed + 1, missedSinceMs, servedMs, suspected };
    case undefined:
      return { missed: 0, servedMs, suspected };
    default:
      return probed satisfies never;
  }
}

export function suspect(pulse: Pulse): Pulse {
  return { ...pulse, suspected: true };
}
