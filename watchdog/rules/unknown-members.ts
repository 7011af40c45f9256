// Pure. What becomes of a member that the watchdog does not know: it has not said where it listens, or has no address that anybody
// here can reach. It may be as well as can be, a database that has a ROLE for reasons of its own say, and its twin would be no better
// known. So it is left alone, and people are told; unless it has lost what it had before, or only we can have made it.

import { takesTraffic } from "../../services/runtime/roles.ts";
import type { Found } from "../engines/discovery.ts";
import type { SlotState } from "./slot-state.ts";

export type UnknownMember =
  | { readonly kind: "known" }
  /** Its twin would have what it lacks. */
  | { readonly kind: "lost"; readonly reason: string }
  | { readonly kind: "unknown"; readonly reason: string };

/** Of one that runs, has had the time to become known, and of which nobody says that it is sick. */
export function unknownMember(
  { slot, known }: Pick<SlotState, "slot" | "known">,
  { host, ports, ours, passesOwnCheck, obstacle, outOfSight }: Found,
  startTimeoutMs: number,
): UnknownMember {
  // A worker need not be known to anybody, nor a client that stands where clients do. Their own checks speak for them.
  if (slot.role === "worker" || (outOfSight && !takesTraffic(slot.role))) return { kind: "known" };
  if (host !== undefined && ports !== undefined) return { kind: "known" };
  const isMute = host !== undefined;
  const reason = isMute
    ? `it did not say where it listens within ${startTimeoutMs} ms`
    : "it is on no network where it can be reached";
  const hasLost = known && !(isMute && passesOwnCheck);
  if (hasLost || (ours && !passesOwnCheck)) return { kind: "lost", reason };
  return { kind: "unknown", reason: obstacle ?? reason };
}

/** Such as a migration that is to be healed while it is not done. What takes traffic does not end by itself. */
export function isDoneJob({ slot }: Pick<SlotState, "slot">, { life }: Found): boolean {
  return slot.role === "worker" && life.kind === "exited" && life.code === 0;
}
