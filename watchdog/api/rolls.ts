// The rolls as the API orders and shows them. The next round of the loop carries them out (rollout/planned-rolls.ts).

import type { Log } from "../../services/runtime/log.ts";
import { byNumber } from "../desired/slot.ts";
import { isUnderWay, type Roll } from "../rollout/roll.ts";
import { type Scale, scaleUnderWay } from "../rollout/scale.ts";
import type { SlotState } from "../rules/slot-state.ts";
import type { Rolls } from "./order-routes.ts";

export interface RollsParts {
  /** By service. */
  readonly state: () => { readonly rolls: Map<string, Roll>; readonly scales: ReadonlyMap<string, Scale> };
  readonly slotStates: () => readonly SlotState[];
  readonly log: Log;
  /** Called when there is something to do. */
  readonly wake: () => void;
}

export function rollsOf({ state, slotStates, log, wake }: RollsParts): Rolls {
  const of = (service: string) => slotStates().filter(({ slot }) => slot.service === service && slot.id !== service);
  return {
    order(service) {
      const states = of(service);
      if (states.length === 0) return { ok: false, status: 404, reason: `there are no replicas of ${service} here` };
      if (isPaused(states)) return { ok: false, status: 409, reason: `${service} is paused: resume it first` };
      const before = state().rolls.get(service);
      if (before !== undefined && isUnderWay(before))
        return { ok: false, status: 409, reason: `${service} is being rolled already` };
      const scale = state().scales.get(service);
      if (scale !== undefined && scaleUnderWay(scale))
        return { ok: false, status: 409, reason: `${service} is being scaled: roll it when that is over` };
      const sample = sampleOf(states);
      if (sample === undefined) return { ok: false, status: 409, reason: noSample(service, states.length) };
      const roll: Roll = { sample: sample.slot.id, making: sample.found?.making ?? "", phase: "rolling" };
      state().rolls.set(service, roll);
      log("roll-begun", { service, ...roll });
      wake();
      return { ok: true };
    },
    rows: () =>
      [...state().rolls].map(([service, roll]) => {
        const replicas = of(service).filter(({ slot }) => slot.id !== roll.sample);
        return {
          service,
          phase: roll.phase,
          sample: roll.sample,
          reason: roll.reason ?? null,
          paused: isUnderWay(roll) && isPaused(of(service)),
          rolled: replicas.filter(({ found }) => found?.making === roll.making).length,
          of: replicas.length,
          slots: replicas.map(({ slot, found, healing, probed }) => ({
            slot: slot.id,
            rolled: found?.making === roll.making,
            busy: healing || probed?.kind !== "passed",
          })),
        };
      }),
  };
}

const isPaused = (states: readonly SlotState[]) => states.some(({ held }) => held?.paused);

/** The last one, where it is made otherwise than another. */
function sampleOf(states: readonly SlotState[]): SlotState | undefined {
  const there = states.filter(({ found }) => found?.making !== undefined);
  const last = [...there].sort((one, other) => byNumber(one.slot.id, other.slot.id)).at(-1);
  return there.some(({ found }) => found?.making !== last?.found?.making) ? last : undefined;
}

function noSample(service: string, count: number): string {
  const make = `docker compose up --no-start --no-recreate --scale ${service}=${count + 1} ${service}`;
  return `there is no sample of what ${service} is to become: after docker compose build or pull, ${make} makes one`;
}
