// Puts a successor into a slot: creates it, ends the failed member unless both may run side by side, removes that when it has ended,
// starts the successor. The plan verifies it later, and commits it, or rolls it back. Of several replicas, which Compose counts, the
// failed one goes before its successor is made. A heal that is told to stop leaves what `docker compose down` will find: Compose lists
// the containers and then stops the watchdog first (pkg/compose/down.go). A successor made after that list would outlive it, so one just
// made is removed; one on the list must stay, for Compose fails on a container that is gone. Nobody tells which it is.

import { nowMs } from "../../services/runtime/clock.ts";
import type { Slot } from "../desired/slot.ts";
import type { Runner, Wanted } from "../engines/runner.ts";
import type { HealProgress } from "../incidents/recorder.ts";
import type { SlotState } from "../rules/slot-state.ts";

export interface Heal {
  readonly runner: Runner;
  readonly slot: Slot;
  /** The instance that fills the slot now, dead or sick. */
  readonly replaces: string | undefined;
  /** How long that instance may take to end before the successor starts, in ms; undefined: nobody waits for it. */
  readonly stopMs: number | undefined;
  /** Is it to be gone before its successor is made? */
  readonly removeFirst: boolean;
  readonly wanted: Omit<Wanted, "replaces">;
  /** Resolves when the instance is needed no longer for its last words. */
  readonly heard: Promise<unknown>;
  /** @throws when it has turned out meanwhile that the slot may be nobody's any more */
  readonly assertMeant: () => void;
  readonly stop: AbortSignal;
  /** Told of each step when it is done. */
  readonly onStep: (step: HealProgress) => void;
}

interface StartAgain extends Pick<Heal, "runner" | "stop" | "onStep"> {
  readonly instance: string;
  /** How long it may take to end; undefined: it has ended. */
  readonly stopMs: number | undefined;
}

export type HealOutcome =
  | { readonly kind: "started"; readonly instance: string }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "rolled-back" }
  /** Both are there, and the next watchdog finishes it. */
  | { readonly kind: "left-unfinished" };

export async function heal({
  runner,
  slot,
  replaces,
  stopMs,
  removeFirst,
  wanted,
  heard,
  assertMeant,
  stop,
  onStep,
}: Heal): Promise<HealOutcome> {
  if (stop.aborted) return { kind: "rolled-back" };
  const begunMs = nowMs();
  let toldMs = 0;
  const onStop = () => {
    toldMs = nowMs();
  };
  stop.addEventListener("abort", onStop, { once: true });
  let made: { readonly successor: string; readonly atMs: number } | undefined;
  let isAlone = false;
  try {
    if (removeFirst && replaces !== undefined) {
      await heard;
      stop.throwIfAborted();
      if (stopMs !== undefined) await runner.stop(replaces, stopMs);
      await runner.remove(replaces);
      stop.throwIfAborted();
    }
    assertMeant();
    const successor = await runner.create(slot, { ...wanted, replaces: { instance: replaces } });
    made = { successor, atMs: nowMs() };
    onStep({ kind: "created", instance: made.successor });
    stop.throwIfAborted();
    if (!removeFirst && replaces !== undefined && stopMs !== undefined) await runner.stop(replaces, stopMs);
    stop.throwIfAborted();
    // There is no way back to one that has ended, and as long as it is there Compose sees two of one number.
    if (!removeFirst && made.successor !== replaces && (wanted.ended || stopMs !== undefined)) {
      await heard;
      stop.throwIfAborted();
      await runner.commit(slot.id, 0);
      isAlone = true;
    }
    stop.throwIfAborted();
    await runner.start(made.successor);
    onStep({ kind: "started" });
    stop.throwIfAborted();
    return { kind: "started", instance: made.successor };
  } catch (error) {
    // We guess that Compose gets from its list to our signal in half the time that the create took.
    const listed = made !== undefined && toldMs - made.atMs > (made.atMs - begunMs) / 2;
    if (stop.aborted && listed) return { kind: "left-unfinished" };
    // Where nothing like it can be made any more, the successor is the member itself; and the last one with its files is the next heal's.
    const isLast = isAlone && made !== undefined && (await runner.isUnique(made.successor));
    const isNew = made !== undefined && made.successor !== replaces && !isLast;
    const kept = isNew ? await runner.remove(made?.successor as string).then(() => undefined, messageOf) : undefined;
    if (stop.aborted && kept === undefined) return { kind: "rolled-back" };
    return { kind: "failed", reason: [messageOf(error), kept].filter(Boolean).join("; and not rolled back: ") };
  } finally {
    stop.removeEventListener("abort", onStop);
  }
}

/** Instead of a heal, of one that has what no successor would have. */
export async function startAgain({ runner, instance, stopMs, stop, onStep }: StartAgain): Promise<HealOutcome> {
  if (stop.aborted) return { kind: "rolled-back" };
  try {
    if (stopMs !== undefined) await runner.stop(instance, stopMs);
    onStep({ kind: "created", instance });
    await runner.start(instance);
    onStep({ kind: "started" });
    return { kind: "started", instance };
  } catch (error) {
    return { kind: "failed", reason: messageOf(error) };
  }
}

export function messageOf(error: unknown): string {
  return ((error as Error).message ?? String(error)).split("\n", 1)[0] as string;
}

/**
 * How the member before goes: is it to be gone before its successor is made, and how long may it take to end before that starts;
 * undefined: it need not end, or has ended, or nobody waits for it.
 */
export function wayOut(
  slotState: SlotState,
  { gently, from }: { readonly gently: boolean; readonly from?: string },
  drainMs: number,
): Pick<Heal, "removeFirst" | "stopMs"> {
  const { overlaps = false, replicated = false } = slotState.found ?? {};
  const isRolled = from !== undefined;
  const removeFirst = isRolled || replicated;
  const needNotEnd = hasEnded(slotState) || (overlaps && !removeFirst) || (removeFirst && !gently);
  return { removeFirst, stopMs: needNotEnd ? undefined : gently ? drainMs : 0 };
}

/** Does whatever fills the slot not run, and never will by itself? */
export function hasEnded({ found }: SlotState): boolean {
  const life = found?.life;
  return life?.kind === "exited" || life?.kind === "created" || (life?.kind === "previous" && !life.running);
}
