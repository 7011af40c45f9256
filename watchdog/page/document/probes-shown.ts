// Pure. When members were last probed: one time for all whose probes come round after round, and an own one for those that are behind.

import type { SlotState } from "../../rules/slot-state.ts";
import type { ProbesShown } from "./document.ts";

/** So much earlier than another's a probe may be without a word; one that outlasts its round is known a round later. */
const BEHIND_MS = 3_000;
const BEHIND_ROUNDS = 3;

export function probesShown(
  slotStates: readonly Pick<SlotState, "slot" | "probedMs">[],
  probeIntervalMs: number,
): ProbesShown {
  const behindMs = Math.max(BEHIND_MS, BEHIND_ROUNDS * probeIntervalMs);
  const times = slotStates.flatMap(({ slot, probedMs }) =>
    probedMs === undefined ? [] : [[slot.id, probedMs] as const],
  );
  const latestMs = times.reduce<number | null>((latest, [, ms]) => Math.max(latest ?? ms, ms), null);
  if (latestMs === null) return { latestMs, longAgoMs: {} };
  return { latestMs, longAgoMs: Object.fromEntries(times.filter(([, ms]) => latestMs - ms > behindMs)) };
}
