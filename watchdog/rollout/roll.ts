// Pure. A roll: one by one the replicas of a service become twins of a sample, which Compose has made with the new configuration and
// image, or the watchdog: like the version before, or of what its image is now. While it lasts the sample serves as well, so that there are never fewer than before. (roll, slot states of the service) -> at
// most one step. It reads what is: the engine is the journal, and the next watchdog goes on from any step.

import { byNumber, type Slot } from "../desired/slot.ts";
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
  readonly phase: (typeof rollPhases)[number];
  /** Why it is not rolling, or no longer. */
  readonly reason?: string;
  /** Was a replica replaced already when it turned round? */
  readonly changed?: true;
}

export type RollStep =
  /** Make the sample, of the service of what fills `from`, and start it. */
  | {
      readonly kind: "make";
      readonly slot: Slot;
      readonly from: string;
      readonly version: { readonly kind: NonNullable<Roll["to"]>; readonly making: string };
      readonly reason: string;
    }
  | { readonly kind: "start"; readonly slot: Slot; readonly reason: string }
  /** Put a twin of what fills `from` into the slot. */
  | { readonly kind: "replace"; readonly slot: Slot; readonly from: string; readonly reason: string }
  /** Take it away: out of traffic, then stopped, removed, forgotten. */
  | { readonly kind: "retire"; readonly slot: Slot; readonly reason: string }
  /** It was taken away, and nobody is to make it anew. */
  | { readonly kind: "forget"; readonly slot: Slot; readonly reason: string }
  /** Go on so. */
  | { readonly kind: "turn"; readonly roll: Roll }
  | { readonly kind: "wait"; readonly reason: string };

export interface RollLimits {
  readonly startTimeoutMs: number;
  /** So long a new one has to serve before the next one's turn. */
  readonly monitorMs: number;
  /** Does it stand still where a new one fails, and not go back? */
  readonly pausesOnFailure?: boolean;
  /** Why its sample could not be made. */
  readonly notMade?: string | undefined;
}

export function isUnderWay({ phase }: Roll): boolean {
  return phase === "rolling" || phase === "rolling-back";
}

/** @param states all slots of the service */
export function rollStep(roll: Roll, states: readonly SlotState[], limits: RollLimits, nowMs: number): RollStep {
  const sorted = [...states].sort(({ slot: one }, { slot: other }) => byNumber(one.id, other.id));
  const busy = sorted.find(({ healing }) => healing);
  if (busy !== undefined) return { kind: "wait", reason: `after ${busy.slot.id}` };
  const sample = sorted.find(({ slot }) => slot.id === roll.sample);
  const replicas = sorted.filter(({ slot }) => slot.id !== roll.sample);
  const judge = (state: SlotState) => judged(state, limits, nowMs);
  const rolled = replicas.filter((state) => state.found?.making === roll.making);
  const old = replicas.filter((state) => state.found !== undefined && state.found.making !== roll.making);
  const gone = replicas.filter(({ found, intent }) => found === undefined && intent?.kind !== "stopped");
  return roll.phase === "rolling-back"
    ? backwards({ roll, sample, rolled, old, gone, judge })
    : forwards({ roll, sample, rolled, old, gone, judge }, limits);
}

interface Replicas {
  readonly roll: Roll;
  readonly sample: SlotState | undefined;
  /** Those that are made like the sample. */
  readonly rolled: readonly SlotState[];
  readonly old: readonly SlotState[];
  /** Their successors were about to be made when a watchdog died. */
  readonly gone: readonly SlotState[];
  readonly judge: (state: SlotState) => Judgement;
}

type Judgement =
  | { readonly kind: "well" }
  | { readonly kind: "waits"; readonly reason: string }
  | { readonly kind: "bad"; readonly reason: string };

function forwards(replicas: Replicas, { pausesOnFailure, notMade }: RollLimits): RollStep {
  const { roll, sample, rolled, old, gone, judge } = replicas;
  const failed = (reason: string) =>
    pausesOnFailure ? turn(roll, "paused", reason) : failure(roll, { rolled, old }, reason);
  if (notMade !== undefined) return failed(`${roll.sample}: ${notMade}`);
  if (sample?.found === undefined) {
    if (roll.to !== undefined && old.length > 0) return made(roll, roll.to, old.at(-1) as SlotState);
    if (old.length > 0 || rolled.length === 0) return failed(`${roll.sample} is gone`);
    return sample === undefined ? turn(roll, "done") : forgotten(sample);
  }
  if (roll.to !== undefined && sample.found.making !== roll.making)
    return { kind: "retire", slot: sample.slot, reason: "it is of another roll" };
  const [next] = [...gone, ...old];
  // When all others are done a sample that has ended was stopped for that.
  const judges = next === undefined && rolled.length > 0 ? rolled : [sample, ...rolled];
  const unstarted = judges.find(isMade);
  if (unstarted !== undefined) return started(unstarted);
  for (const state of judges) {
    const judgement = judge(state);
    if (judgement.kind === "waits") return { kind: "wait", reason: `${state.slot.id}: ${judgement.reason}` };
    if (judgement.kind === "bad") return failed(`${state.slot.id}: ${judgement.reason}`);
  }
  if (next !== undefined)
    return { kind: "replace", slot: next.slot, from: roll.sample, reason: `it is rolled to what ${roll.sample} is` };
  if (rolled.length === 0) return turn(roll, "done");
  return { kind: "retire", slot: sample.slot, reason: "all others are like it" };
}

/** Nothing was changed yet, or some have to go back, or there is nothing left to go back to; a way back is not taken back. */
function failure(roll: Roll, { rolled, old }: Pick<Replicas, "rolled" | "old">, reason: string): RollStep {
  const isLast = old.length === 0 || roll.to === "former";
  if (rolled.length > 0 && isLast) return turn(roll, "paused", reason);
  const changed = rolled.length > 0 ? { changed: true as const } : {};
  return { kind: "turn", roll: { ...roll, phase: "rolling-back", reason, ...changed } };
}

function backwards({ roll, sample, rolled, old, gone, judge }: Replicas): RollStep {
  const source = old.find((state) => judge(state).kind === "well");
  const unstarted = old.find(isMade);
  if (unstarted !== undefined) return started(unstarted);
  const last = gone[0] ?? rolled.at(-1);
  if (last !== undefined) {
    const bad = old.find((state) => judge(state).kind === "bad");
    if (bad !== undefined || old.length === 0) return turn(roll, "paused", roll.reason);
    // One at a time: whoever was put back last serves before the next one's turn.
    const waiting = old.find((state) => judge(state).kind === "waits");
    if (waiting !== undefined || source === undefined)
      return { kind: "wait", reason: `${waiting?.slot.id} comes back` };
    return { kind: "replace", slot: last.slot, from: source.slot.id, reason: `it goes back: ${roll.reason}` };
  }
  if (sample?.found !== undefined) return { kind: "retire", slot: sample.slot, reason: roll.reason ?? "" };
  if (sample !== undefined) return forgotten(sample);
  return turn(roll, roll.changed ? "rolled-back" : "failed", roll.reason);
}

function made({ sample, making }: Roll, to: NonNullable<Roll["to"]>, { slot }: SlotState): RollStep {
  const version = { kind: to, making };
  const reason = to === "former" ? "the version before is wanted" : "its image is another by now";
  return { kind: "make", slot: { ...slot, id: sample }, from: slot.id, version, reason };
}

/** Somebody made it and has not started it: Compose the sample, or a watchdog that died then a twin. */
function isMade({ found }: SlotState): boolean {
  return found?.life.kind === "created";
}

function started({ slot }: SlotState): RollStep {
  return { kind: "start", slot, reason: "it was made for the roll" };
}

/** The watchdog that took it away died before it had forgotten it. */
function forgotten({ slot }: SlotState): RollStep {
  return { kind: "forget", slot, reason: "the roll is over it" };
}

function turn(roll: Roll, phase: Roll["phase"], reason?: string): RollStep {
  return { kind: "turn", roll: { ...roll, phase, ...(reason !== undefined && { reason }) } };
}

/** Has it served for long enough, or may it yet? */
export function judged(state: SlotState, { startTimeoutMs, monitorMs }: RollLimits, nowMs: number): Judgement {
  const { found, probed, missed, seenSinceMs, servesSinceMs } = state;
  if (found === undefined) return { kind: "bad", reason: "it is gone" };
  if (found.life.kind === "exited") return { kind: "bad", reason: `it exited with code ${found.life.code}` };
  if (found.unhealthy) return { kind: "bad", reason: "its own health check fails" };
  if (found.life.kind === "running" && probed?.kind === "passed" && servesSinceMs !== undefined) {
    return nowMs - servesSinceMs >= monitorMs
      ? { kind: "well" }
      : { kind: "waits", reason: "it serves, and is watched" };
  }
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
