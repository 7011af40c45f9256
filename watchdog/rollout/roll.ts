// Pure. A roll: the replicas of a service become twins of a sample, which Compose has made with the new configuration and image, or the
// watchdog: like the version before, or of what its image is now. This is what is remembered of one, the steps that it consists of, and
// how a new one is judged. It reads what is: the engine is the journal, and the next watchdog goes on from any step.

import type { Slot } from "../desired/slot.ts";
import type { Step } from "../rules/plan.ts";
import type { SlotState } from "../rules/slot-state.ts";

/** `failed`: nothing was changed. `paused`: the way back failed too, and people have to look. */
export const rollPhases = ["rolling", "rolling-back", "done", "failed", "rolled-back", "paused"] as const;

/** Where the sample is from: Compose has made it, or the watchdog makes it, of the version before, or of what the image's name means now. */
export const rollTargets = ["sample", "former", "image"] as const;
export type RollTarget = (typeof rollTargets)[number];

/** What is remembered of a roll. Whatever is done is seen in the engine. */
export interface Roll {
  /** The slot of the sample. */
  readonly sample: string;
  /** What the sample is made from, as Found.making. */
  readonly making: string;
  /** Absent: to what Compose has made. */
  readonly to?: Exclude<RollTarget, "sample">;
  /** Absent: start-first, the sample serves before the first replica goes. */
  readonly order?: "stop-first";
  /** Why it is in that order, where nobody has said so. */
  readonly why?: string;
  /** So many at a time; absent: one. */
  readonly parallel?: number;
  /** The slots that serve beside the sample, so that so many may go at a time. */
  readonly surge?: readonly string[];
  /** What all replicas were made from before. */
  readonly before?: string;
  readonly phase: (typeof rollPhases)[number];
  /** Why it is not rolling, or no longer. */
  readonly reason?: string;
  /** Was a replica replaced already when it turned round? */
  readonly changed?: true;
}

type AnotherVersion = NonNullable<Extract<Step, { kind: "add" }>["version"]>;

export type RollStep =
  /** Make a sample like what fills `from`, or like another version of that. */
  | {
      readonly kind: "make";
      readonly slot: Slot;
      readonly from: string;
      readonly version?: AnotherVersion;
      /** It is only to be there. */
      readonly unstarted?: true;
      readonly reason: string;
    }
  | { readonly kind: "start"; readonly slot: Slot; readonly reason: string }
  /** Put a twin of what fills `from` into the slot, or of another version of that. */
  | {
      readonly kind: "replace";
      readonly slot: Slot;
      readonly from: string;
      readonly version?: AnotherVersion;
      readonly reason: string;
    }
  /** Take it away: out of traffic, then stopped, removed, forgotten. */
  | { readonly kind: "retire"; readonly slot: Slot; readonly reason: string }
  /** It was taken away, and nobody is to make it anew. */
  | { readonly kind: "forget"; readonly slot: Slot; readonly reason: string };

export interface NextOfRoll {
  readonly steps: readonly RollStep[];
  /** Go on so. */
  readonly turned?: Roll;
  /** What it waits for. */
  readonly waits?: string;
}

export interface RollLimits {
  readonly startTimeoutMs: number;
  /** So long a new one has to serve before the next one's turn. */
  readonly monitorMs: number;
  /** Does it stand still where a new one fails, and not go back? */
  readonly pausesOnFailure?: boolean;
}

export function isUnderWay({ phase }: Roll): boolean {
  return phase === "rolling" || phase === "rolling-back";
}

/** All slots that are there for the roll alone. */
export function samplesOf({ sample, surge = [] }: Roll): readonly string[] {
  return [sample, ...surge];
}

/** The service, as a roll sees it. */
export interface Rolling {
  readonly roll: Roll;
  readonly sample: SlotState | undefined;
  /** The sample, and those beside it, as far as there are any. */
  readonly samples: readonly SlotState[];
  /** Those that are made like the sample. */
  readonly rolled: readonly SlotState[];
  readonly old: readonly SlotState[];
  /** Their successors were about to be made when a watchdog died. */
  readonly gone: readonly SlotState[];
  /** The slots of which a step is being carried out. */
  readonly busy: ReadonlySet<string>;
  /** Which one could not be made, and why. */
  readonly notMade: string | undefined;
  readonly limits: RollLimits;
  readonly judge: (state: SlotState) => Judgement;
}

type Judgement =
  | { readonly kind: "well" }
  | { readonly kind: "waits"; readonly reason: string }
  | { readonly kind: "bad"; readonly reason: string };

/** Somebody made it and has not started it: Compose the sample, or a watchdog that died then a twin. */
export function isMade({ found }: SlotState): boolean {
  return found?.life.kind === "created";
}

export function waitFor(waits: string): NextOfRoll {
  return { steps: [], waits };
}

export function started({ slot }: SlotState): RollStep {
  return { kind: "start", slot, reason: "it was made for the roll" };
}

/** What was there for the roll alone goes; the watchdog that took it away may have died before it had forgotten it. */
export function takenAway({ slot, found }: SlotState, reason: string): RollStep {
  return found === undefined ? { kind: "forget", slot, reason } : { kind: "retire", slot, reason };
}

export function turn(roll: Roll, phase: Roll["phase"], reason?: string): NextOfRoll {
  return { steps: [], turned: { ...roll, phase, ...(reason !== undefined && { reason }) } };
}

/** Has it served for long enough, or may it yet? */
export function judged(
  state: SlotState,
  { startTimeoutMs, monitorMs }: Pick<RollLimits, "startTimeoutMs" | "monitorMs">,
  nowMs: number,
): Judgement {
  const { found, probed, gated, missed, seenSinceMs, servesSinceMs } = state;
  if (found === undefined) return { kind: "bad", reason: "it is gone" };
  if (found.life.kind === "exited") return { kind: "bad", reason: `it exited with code ${found.life.code}` };
  if (found.unhealthy) return { kind: "bad", reason: "its own health check fails" };
  if (found.life.kind === "running" && probed?.kind === "passed" && servesSinceMs !== undefined) {
    return nowMs - servesSinceMs >= monitorMs
      ? { kind: "well" }
      : { kind: "waits", reason: "it serves, and is watched" };
  }
  if (gated) return { kind: "waits", reason: "its own health check has yet to pass" };
  const limitMs = found.startMs ?? startTimeoutMs;
  if (nowMs - seenSinceMs < limitMs) return { kind: "waits", reason: "it starts" };
  const why =
    probed?.kind === "refused"
      ? `it answered ${probed.status}`
      : missed > 0
        ? "it does not answer"
        : "it never got well";
  return { kind: "bad", reason: `${why} within ${limitMs} ms` };
}
