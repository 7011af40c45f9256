// Pure. The disruption budget: what blocks the replacement of a member that runs and does not do its work. A replacement takes
// a member away. So sick members are replaced one at a time in their tier, the last one that serves never is, and neither are
// members whose fault lies outside of them. While one has yet to pass its own health check, those that still serve stay: what its check
// waits for, a database say, may be what theirs fail for.

import { poolOf } from "../desired/slot.ts";
import { type SlotState, serves } from "./slot-state.ts";

/** While no other of its tier serves, its replacement is an outage: it may miss so many times as many. */
const PATIENCE_WITH_THE_LAST = 3;
/** Within this, members that fall silent have one cause: the host, the network, or our own sight of them. */
const SHARED_CAUSE_MS = 5_000;
const SHARED_CAUSE_SHARE = 0.5;

/** The facts that the budget depends on. */
export interface DisruptionBudget {
  readonly slotStates: readonly SlotState[];
  /** The slots of which a heal begins in this round. */
  readonly healing: ReadonlySet<string>;
  /** Probes missed in a row that make a member silent. */
  readonly missedMax: number;
}

export interface Blocker {
  readonly why: string;
  /** It does not pass by itself: people should look. */
  readonly alert: boolean;
}

/** @returns why the slot's member is not replaced now; undefined: it may be */
export function blockedBy(slotState: SlotState, budget: DisruptionBudget): Blocker | undefined {
  const { slotStates, healing, missedMax } = budget;
  const others = slotStates.filter((other) => other !== slotState && sameTier(other, slotState));
  if (
    !others.some(serves) &&
    isSilentToUsAlone(slotState, missedMax) &&
    slotState.missed < missedMax * PATIENCE_WITH_THE_LAST
  ) {
    return { why: `the last ${slotState.slot.role}, asked some more`, alert: true };
  }
  const isLast = serves(slotState) && !others.some(serves);
  const why = isLast ? `the last ${slotState.slot.role} that serves stays` : sharedCause(slotState, others, missedMax);
  if (why !== undefined) return { why, alert: true };
  const busy = others.find((other) => isChanging(other, healing) || (serves(slotState) && other.gated));
  return busy && { why: `after ${busy.slot.id}`, alert: false };
}

/** The members that one tier forwards to: the proxies, or the servers of one pool and group. */
function sameTier({ slot: one }: SlotState, { slot: other }: SlotState): boolean {
  return one.role === other.role && one.group === other.group && poolOf(one) === poolOf(other);
}

/** Once a successor serves, its tier is whole again, whatever becomes of the member before. */
function isChanging(slotState: SlotState, begun: ReadonlySet<string>): boolean {
  const { slot, healing, found } = slotState;
  const unverified = found?.succeeds !== undefined && found.life.kind !== "exited";
  return begun.has(slot.id) || ((healing || unverified) && !serves(slotState));
}

/**
 * Half of a tier, and more than one, silent to our probes since the same few seconds, and nobody else finds fault with it: the
 * cause is shared. Replacing them would take away what may well be serving (Envoy's panic threshold is of the same mind).
 */
function sharedCause(slotState: SlotState, others: readonly SlotState[], missedMax: number): string | undefined {
  if (!isSilentToUsAlone(slotState, missedMax)) return undefined;
  const together = others.filter((other) => isSilentToUsAlone(other, missedMax) && fellTogether(slotState, other));
  const silent = together.length + 1;
  const all = others.filter(({ found }) => found?.life.kind === "running").length + 1;
  if (silent < 2 || silent < all * SHARED_CAUSE_SHARE) return undefined;
  return `${silent} of ${all} fell silent at once, so the cause is shared`;
}

function isSilentToUsAlone({ missed, suspected, found }: SlotState, missedMax: number): boolean {
  return missed >= missedMax && !suspected && found?.unhealthy === false;
}

function fellTogether({ missedSinceMs: one = 0 }: SlotState, { missedSinceMs: other = 0 }: SlotState): boolean {
  return Math.abs(one - other) <= SHARED_CAUSE_MS;
}
