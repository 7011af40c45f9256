// Pure. Which of several watchdogs leads that share a directory of claims: the holder of the highest epoch, as long as it renews.
//
//   no claim; the highest is released, or is our own of an earlier run        claim the next epoch at once
//   the highest has not changed for 2 s of our own clock                      claim the next epoch
//   its holder led by it, missed a renewal, and has ended by the engine's word    claim the next epoch
//   the highest is ours                                                       lead, once the holder of the one before cannot act
//   there is a higher one than ours                                           lost
//
// Kubernetes's leader election is the model: a claim that stays unchanged on our own clock has lost its holder.
// Two never hold at once: a renewal lasts 1.5 s from before its write and counts only when no higher claim is seen after it.

export interface Claim {
  readonly epoch: number;
  /** Its holder's; empty when the file cannot be read as a claim. */
  readonly id: string;
  /** Has its holder led by it? Until then somebody below may still hold. */
  readonly led: boolean;
  readonly released: boolean;
  /** As it lies there: each renewal changes it. */
  readonly text: string;
}

/** The highest claim, and since when it has been as it is, by our own clock. */
export interface ObservedClaim {
  readonly claim: Claim;
  readonly sinceMs: number;
}

/** The claim that we have made, and what it gives us. */
export interface OwnClaim {
  readonly epoch: number;
  /** When the last renewal that counts began. */
  readonly renewedMs: number;
  /** Not to lead before: the holder of the claim before may hold until then. */
  readonly leadsFromMs: number;
}

export type LeaseDecision =
  | { readonly kind: "wait" }
  | { readonly kind: "claim"; readonly epoch: number }
  | { readonly kind: "lead" }
  | { readonly kind: "lost"; readonly to: Claim };

export const POLL_MS = 250;
export const RENEW_MS = 500;
const HOLD_MS = 1_500;
/** More than HOLD_MS by so much that clocks may differ in speed by a tenth and more; real ones do by a ten-thousandth. */
const UNCHANGED_MS = 2_000;
/** A holder that is late by so much may have ended: worth a question. */
const LATE_MS = 700;

/** The highest claim as it is now. One that has vanished counts as changed: its holder may put it back. */
export function observedAfter(
  before: ObservedClaim | undefined,
  highest: Claim | undefined,
  nowMs: number,
): ObservedClaim | undefined {
  const claim = highest ?? (before && { ...before.claim, id: "", led: false, released: false, text: "" });
  if (claim === undefined) return undefined;
  const same = before?.claim.epoch === claim.epoch && before.claim.text === claim.text;
  return same ? before : { claim, sinceMs: nowMs };
}

/** Is the holder late, so that it is worth asking whether it has ended? One that never led says nothing of those below. */
export function isLate(observed: ObservedClaim | undefined, nowMs: number): observed is ObservedClaim {
  return observed?.claim.led === true && nowMs - observed.sinceMs >= LATE_MS;
}

/**
 * What a watchdog without a claim does next.
 * @param id our own: no other that runs has the same
 * @param ended has the holder, which was late, ended for good? What does not run renews nothing, and does nothing either
 */
export function nextWithoutClaim(
  observed: ObservedClaim | undefined,
  id: string,
  nowMs: number,
  ended = false,
): LeaseDecision {
  if (observed === undefined) return { kind: "claim", epoch: 1 };
  const { claim, sinceMs } = observed;
  const over = claim.led && (claim.released || claim.id === id || ended);
  const abandoned = nowMs - sinceMs >= UNCHANGED_MS;
  return over || abandoned ? { kind: "claim", epoch: claim.epoch + 1 } : { kind: "wait" };
}

/** What a watchdog with a claim does next, after it has looked. */
export function nextWithClaim(
  { epoch, leadsFromMs }: OwnClaim,
  observed: ObservedClaim | undefined,
  id: string,
  nowMs: number,
): LeaseDecision {
  const highest = observed?.claim;
  if (highest !== undefined && highest.epoch > epoch) return { kind: "lost", to: highest };
  // Somebody emptied the directory, and another one has begun anew with our number.
  if (highest?.epoch === epoch && highest.id !== "" && highest.id !== id) return { kind: "lost", to: highest };
  return nowMs >= leadsFromMs ? { kind: "lead" } : { kind: "wait" };
}

/** How a claim was made: when we began to, and when it was there. */
export interface ClaimMaking {
  readonly begunMs: number;
  readonly madeMs: number;
  /** The claim before, as it was when we decided, and as it is now that ours is there. */
  readonly decidedOn: Claim | undefined;
  readonly again: Claim | undefined;
}

/**
 * What a new claim gives its maker, which may have been frozen between its decision and the making. The holder of the claim
 * before may have renewed meanwhile, without seeing the new one: then that one's time has to run out first.
 */
export function ownClaimFrom(epoch: number, { begunMs, madeMs, decidedOn, again }: ClaimMaking): OwnClaim {
  const unchanged = decidedOn?.text === again?.text;
  return { epoch, renewedMs: begunMs, leadsFromMs: unchanged ? begunMs : madeMs + UNCHANGED_MS };
}

/** After a renewal that counts. @param begunMs when it began, before its write */
export function renewed(own: OwnClaim, begunMs: number): OwnClaim {
  return { ...own, renewedMs: begunMs };
}

/** May its holder act? */
export function holds({ renewedMs, leadsFromMs }: OwnClaim, nowMs: number): boolean {
  return nowMs >= leadsFromMs && nowMs - renewedMs < HOLD_MS;
}
