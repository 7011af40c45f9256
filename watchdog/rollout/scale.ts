// Pure. A scale: a service gets more replicas, twins of the last one that serves, or fewer, the highest numbers first. (scale, slot
// states of the service) -> steps, several at once. What was ordered is remembered slot by slot and whatever is done is seen in the
// engine, so that the next watchdog goes on from any step. Where a new one does not get well, all new ones go again.

import { byNumber, type Slot } from "../desired/slot.ts";
import { type SlotState, serves } from "../rules/slot-state.ts";
import { judged, type RollLimits } from "./roll.ts";

/** `undone`: all is as before. */
export const scalePhases = ["scaling", "undoing", "done", "undone"] as const;

export interface Scale {
  readonly from: number;
  readonly to: number;
  /** The slots that are new. */
  readonly added: readonly string[];
  /** The slots that are to go. */
  readonly removed: readonly string[];
  readonly phase: (typeof scalePhases)[number];
  /** New ones that were found made and never started: the watchdog before has made them, and had no time to note it. */
  readonly started?: readonly string[];
  readonly sinceMs: number;
  /** Why it is undone. */
  readonly reason?: string;
  /** How long it took, once it is over. */
  readonly tookMs?: number;
}

export type ScaleStep =
  /** Make a twin of what fills `from`, and start it. */
  | { readonly kind: "add"; readonly slot: Slot; readonly from: string; readonly reason: string }
  | { readonly kind: "start" | "retire" | "forget"; readonly slot: Slot; readonly reason: string };

export interface ScaleNow {
  /** All slots of the service. */
  readonly states: readonly SlotState[];
  /** The slots of which a step is being carried out; one that is to be new may have no state yet. */
  readonly busy: ReadonlySet<string>;
  /** By slot: why one could not be made. */
  readonly failures: ReadonlyMap<string, string>;
  readonly limits: Pick<RollLimits, "startTimeoutMs">;
  readonly nowMs: number;
}

export interface NextOfScale {
  readonly steps: readonly ScaleStep[];
  /** Go on so. */
  readonly turned?: Scale;
}

const AT_ONCE = 8;
const NOTHING: NextOfScale = { steps: [] };

export function scaleUnderWay({ phase }: Scale): boolean {
  return phase === "scaling" || phase === "undoing";
}

export function nextOfScale(scale: Scale, now: ScaleNow): NextOfScale {
  if (scale.phase === "undoing") return takenAway(scale, scale.added, now) ?? { steps: [], turned: over(scale, now) };
  if (scale.removed.length > 0) {
    const stay = now.states.filter(({ slot }) => !scale.removed.includes(slot.id));
    const go = now.states.filter(({ slot }) => scale.removed.includes(slot.id));
    // Nobody is taken away whose work nobody else does.
    if (go.some(serves) && !stay.some(serves)) return NOTHING;
    return takenAway(scale, scale.removed, now) ?? { steps: [], turned: over(scale, now) };
  }
  return added(scale, now);
}

function added(scale: Scale, now: ScaleNow): NextOfScale {
  const { states, busy, failures, limits, nowMs } = now;
  const byId = new Map(states.map((state) => [state.slot.id, state]));
  const like = likeOf(scale, states);
  const steps: ScaleStep[] = [];
  const started: string[] = [];
  let allWell = true;
  for (const id of scale.added) {
    const state = byId.get(id);
    const failure = failures.get(id);
    if (failure !== undefined) return undo(scale, `${id}: ${failure}`);
    if (busy.has(id) || state?.healing) allWell = false;
    else if (state === undefined) {
      allWell = false;
      if (like !== undefined)
        steps.push({ kind: "add", slot: { ...like.slot, id }, from: like.slot.id, reason: `one of ${scale.to}` });
    } else if (state.found?.life.kind === "created") {
      if (state.found.life.error !== undefined) return undo(scale, `${id}: ${state.found.life.error}`);
      allWell = false;
      if (!isMine(scale, state)) started.push(id);
      steps.push({ kind: "start", slot: state.slot, reason: `one of ${scale.to}` });
    } else {
      const judgement = judged(state, { ...limits, monitorMs: 0 }, nowMs);
      if (judgement.kind === "bad") return undo(scale, `${id}: ${judgement.reason}`);
      if (judgement.kind !== "well") allWell = false;
    }
  }
  if (allWell) return { steps: [], turned: over(scale, now) };
  const room = Math.max(0, AT_ONCE - scale.added.filter((id) => busy.has(id)).length);
  const turned = started.length > 0 && { turned: { ...scale, started: [...(scale.started ?? []), ...started] } };
  return { steps: steps.slice(0, room), ...turned };
}

function isMine({ started }: Scale, { slot, found }: SlotState): boolean {
  return found === undefined || found.ours || (started?.includes(slot.id) ?? false);
}

/** The last of those that were there before, and serve. */
function likeOf({ added }: Scale, states: readonly SlotState[]): SlotState | undefined {
  const sound = states.filter((state) => serves(state) && !added.includes(state.slot.id));
  return sound.sort((one, other) => byNumber(one.slot.id, other.slot.id)).at(-1);
}

/** @returns undefined when all are gone, but for those that somebody else has put there meanwhile */
function takenAway(scale: Scale, ids: readonly string[], { states, busy }: ScaleNow): NextOfScale | undefined {
  const undoing = scale.phase === "undoing";
  const mine = states.filter((state) => ids.includes(state.slot.id) && !(undoing && !isMine(scale, state)));
  if (mine.length === 0 && !ids.some((id) => busy.has(id))) return undefined;
  const reason = scale.reason ?? `${scale.to} are to stay`;
  const steps = mine.flatMap(({ slot, found, healing }): ScaleStep[] => {
    if (healing || busy.has(slot.id)) return [];
    return [{ kind: found === undefined ? "forget" : "retire", slot, reason }];
  });
  return { steps };
}

function undo(scale: Scale, reason: string): NextOfScale {
  return { steps: [], turned: { ...scale, phase: "undoing", reason } };
}

function over(scale: Scale, { nowMs }: ScaleNow): Scale {
  const phase = scale.phase === "undoing" ? "undone" : "done";
  return { ...scale, phase, tookMs: Math.max(0, nowMs - scale.sinceMs) };
}
