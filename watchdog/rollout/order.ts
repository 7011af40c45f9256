// Pure. In which order a roll replaces what is there, and how many at a time: as the labels of the new version say, as far as that is
// possible. What only one can have at a time makes it stop-first, with the reason.

import { byNumber } from "../desired/slot.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { type Roll, samplesOf } from "./roll.ts";

/** @param states all slots of the service */
export function inOrder(given: Roll, states: readonly SlotState[]): Roll {
  const sorted = [...states].sort(({ slot: one }, { slot: other }) => byNumber(one.id, other.id));
  const samples = samplesOf(given);
  const replicas = sorted.filter(({ slot }) => !samples.includes(slot.id));
  const newest = sorted.find(({ slot }) => slot.id === given.sample) ?? replicas.at(-1);
  const { order, parallel = 1 } = newest?.slot.labels ?? {};
  const atOnce = Math.max(1, Math.min(parallel, replicas.length));
  const why = order === "stop-first" ? undefined : whyNotStartFirst(states, order, replicas.length);
  const stopsFirst = order === "stop-first" || why !== undefined;
  const ids = [...sorted.map(({ slot }) => slot.id), ...samples].sort(byNumber);
  const surge = [...(given.surge ?? []), ...after(ids.at(-1) ?? "", atOnce - 1)].slice(0, atOnce - 1);
  const [making, ...others] = new Set(replicas.flatMap(({ found }) => found?.making ?? []));
  return {
    ...given,
    ...(stopsFirst && { order: "stop-first" as const }),
    ...(why !== undefined && { why }),
    ...(atOnce > 1 && { parallel: atOnce }),
    ...(!stopsFirst && surge.length > 0 && { surge }),
    ...(making !== undefined && others.length === 0 && making !== given.making && { before: making }),
  };
}

function whyNotStartFirst(
  states: readonly SlotState[],
  order: "start-first" | undefined,
  replicas: number,
): string | undefined {
  const alone = states.flatMap(({ found }) => found?.alone ?? []);
  const impossible = alone.find(({ writes }) => !writes);
  if (impossible !== undefined) return `start-first is impossible: ${impossible.what}`;
  // Several replicas share what they write to anyway; and whoever asks for it has it.
  const written = alone.find(({ writes }) => writes);
  if (order !== undefined || replicas > 1 || written === undefined) return undefined;
  return `with start-first two would write at once: ${written.what}`;
}

function after(id: string, count: number): string[] {
  const [, stem = "", last = "0"] = /^(.*-)(\d+)$/.exec(id) ?? [];
  return Array.from({ length: count }, (_, index) => `${stem}${Number(last) + index + 1}`);
}
