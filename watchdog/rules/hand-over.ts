// Pure. May a standby that leads give the lead back? When another watchdog answers, and nothing of ours is under way: to find a heal
// half done costs it nothing, but whoever waits for that one longer.

import { type SlotState, serves } from "./slot-state.ts";

/** @param underWay how many steps are being carried out */
export function mayHandOver(slotStates: readonly SlotState[], underWay: number): boolean {
  return underWay === 0 && slotStates.some((slotState) => slotState.slot.role === "watchdog" && serves(slotState));
}
