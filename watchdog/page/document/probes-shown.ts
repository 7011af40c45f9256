// Pure. When members were last probed: one time for all whose probes come round after round, and an own one for those that are behind.

import type { SlotState } from "../../rules/slot-state.ts";
import type { ProbesShown } from "./document.ts";

/** A member whose last probe was so much earlier than another's was left out of more than one round. */
const BEHIND_MS = 3_000;

export function probesShown(slotStates: readonly Pick<SlotState, "slot" | "probedMs">[]): ProbesShown {
  const times = slotStates.flatMap(({ slot, probedMs }) =>
    probedMs === undefined ? [] : [[slot.id, probedMs] as const],
  );
  const latestMs = times.reduce<number | null>((latest, [, ms]) => Math.max(latest ?? ms, ms), null);
  if (latestMs === null) return { latestMs, longAgoMs: {} };
  return { latestMs, longAgoMs: Object.fromEntries(times.filter(([, ms]) => latestMs - ms > BEHIND_MS)) };
}
