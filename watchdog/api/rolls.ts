// The rolls as the API orders and shows them. The next round of the loop carries them out (rollout/planned-rolls.ts).

import type { Log } from "../../services/runtime/log.ts";
import { byNumber } from "../desired/slot.ts";
import { inOrder } from "../rollout/order.ts";
import { isUnderWay, type Roll, type RollTarget, samplesOf } from "../rollout/roll.ts";
import { type Scale, scaleUnderWay } from "../rollout/scale.ts";
import type { SlotState } from "../rules/slot-state.ts";
import type { OrderAnswer, Rolls } from "./order-routes.ts";

type Refused = Extract<OrderAnswer, { ok: false }>;

type OtherVersion =
  | { readonly kind: "known"; readonly making: string }
  | { readonly kind: "none"; readonly reason: string };

interface Versions {
  /** The version of a service before that of its members, which are of these makings. */
  formerVersion(service: string, makings: readonly string[]): Promise<OtherVersion>;
  /** The version that a slot's member would be of, were it made from what its image's name means now. */
  imageVersion(slot: string): Promise<OtherVersion>;
}

export interface RollsParts {
  readonly versions: Versions;
  /** By service. */
  readonly state: () => { readonly rolls: Map<string, Roll>; readonly scales: ReadonlyMap<string, Scale> };
  readonly slotStates: () => readonly SlotState[];
  readonly log: Log;
  /** Called when there is something to do. */
  readonly wake: () => void;
}

export function rollsOf({ state, slotStates, log, wake, versions }: RollsParts): Rolls {
  const of = (service: string) => slotStates().filter(({ slot }) => slot.service === service && slot.id !== service);
  return {
    async order(service, to) {
      const found = await rollTo(to, {
        versions,
        service,
        states: of(service),
        before: state().rolls.get(service),
      });
      const reason = whyNotNow(service, of(service), state());
      if (reason !== undefined) return refused(reason);
      if ("ok" in found) return found;
      state().rolls.set(service, found);
      log("roll-begun", { service, ...found });
      wake();
      return { ok: true };
    },
    rows: () =>
      [...state().rolls].map(([service, roll]) => {
        const samples = samplesOf(roll);
        const replicas = of(service).filter(({ slot }) => !samples.includes(slot.id));
        return {
          service,
          to: roll.to ?? "sample",
          order: roll.order ?? "start-first",
          orderReason: roll.why ?? null,
          parallel: roll.parallel ?? 1,
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

const refused = (reason: string): Refused => ({ ok: false, status: 409, reason });

function whyNotNow(
  service: string,
  states: readonly SlotState[],
  { rolls, scales }: ReturnType<RollsParts["state"]>,
): string | undefined {
  const [roll, scale] = [rolls.get(service), scales.get(service)];
  if (isPaused(states)) return `${service} is paused: resume it first`;
  if (roll !== undefined && isUnderWay(roll)) return `${service} is being rolled already`;
  if (scale !== undefined && scaleUnderWay(scale)) return `${service} is being scaled: roll it when that is over`;
  return undefined;
}

interface Wanted extends Pick<RollsParts, "versions"> {
  readonly service: string;
  readonly states: readonly SlotState[];
  /** The last roll of the service. */
  readonly before: Roll | undefined;
}

async function rollTo(to: RollTarget, wanted: Wanted): Promise<Roll | Refused> {
  const { service, states } = wanted;
  if (states.length === 0) return { ok: false, status: 404, reason: `there are no replicas of ${service} here` };
  if (to === "former") return rollBack(wanted);
  if (to === "image") return rollToImage(wanted);
  const sample = sampleOf(states);
  if (sample === undefined) return refused(noSample(service, states.length));
  const roll = { sample: sample.slot.id, making: sample.found?.making ?? "", phase: "rolling" } as const;
  return inOrder(roll, states);
}

async function rollBack({ versions, service, states, before }: Wanted): Promise<Roll | Refused> {
  const makings = new Set(states.flatMap(({ found }) => found?.making ?? []));
  // Of a roll that stands still the sample may be there yet: its place is taken.
  const left = before?.phase === "paused" ? states.find(({ slot }) => slot.id === before.sample) : undefined;
  if (makings.size > 1 && before?.phase !== "paused")
    return refused(`the replicas of ${service} are not alike: roll ${service} first, or docker compose up -d`);
  const former = await versions.formerVersion(service, [...makings]);
  if (former.kind === "none") return refused(`there is nothing to go back to: ${former.reason}`);
  const sample = left?.slot.id ?? nextOf(service, states);
  return inOrder({ sample, making: former.making, to: "former", phase: "rolling" }, states);
}

async function rollToImage({ versions, service, states }: Wanted): Promise<Roll | Refused> {
  if (sampleOf(states) !== undefined) return refused(`the replicas of ${service} are not alike: roll ${service} first`);
  const slot = lastOf(states)?.slot.id ?? service;
  const newer = await versions.imageVersion(slot);
  if (newer.kind === "none") return refused(newer.reason);
  return inOrder({ sample: nextOf(service, states), making: newer.making, to: "image", phase: "rolling" }, states);
}

/** Numbers go on from the highest, as Compose has it. */
function nextOf(service: string, states: readonly SlotState[]): string {
  return `${service}-${Number(/\d+$/.exec(lastOf(states)?.slot.id ?? "")?.[0] ?? 0) + 1}`;
}

const lastOf = (states: readonly SlotState[]) =>
  [...states].sort((one, other) => byNumber(one.slot.id, other.slot.id)).at(-1);

/** The last one, where it is made otherwise than another. */
function sampleOf(states: readonly SlotState[]): SlotState | undefined {
  const there = states.filter(({ found }) => found?.making !== undefined);
  const last = lastOf(there);
  return there.some(({ found }) => found?.making !== last?.found?.making) ? last : undefined;
}

function noSample(service: string, count: number): string {
  const make = `docker compose up --no-start --no-recreate --scale ${service}=${count + 1} ${service}`;
  return `there is no sample of what ${service} is to become: after docker compose build or pull, ${make} makes one`;
}
