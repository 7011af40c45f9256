// The scales as the API orders and shows them, and what is said of those that cannot be. The next round of the loop carries them out
// (rollout/planned-scales.ts).

import { nowMs } from "../../services/runtime/clock.ts";
import type { Log } from "../../services/runtime/log.ts";
import { byNumber, serviceOf } from "../desired/slot.ts";
import { isUnderWay, type Roll } from "../rollout/roll.ts";
import { type Scale, scaleUnderWay } from "../rollout/scale.ts";
import { type SlotState, serves } from "../rules/slot-state.ts";
import type { Scales } from "./order-routes.ts";
import type { ScaleRow } from "./schema.ts";

export interface ScalesParts {
  /** By service. */
  readonly state: () => { readonly rolls: ReadonlyMap<string, Roll>; readonly scales: Map<string, Scale> };
  readonly slotStates: () => readonly SlotState[];
  readonly log: Log;
  /** Called when there is something to do. */
  readonly wake: () => void;
}

/** Of a program of ours there is one, but for proxies. */
const SCALABLE: ReadonlySet<string> = new Set(["server", "proxy", "worker"]);

export function scalesOf({ state, slotStates, log, wake }: ScalesParts): Scales {
  const of = (service: string) => slotStates().filter(({ slot }) => serviceOf(slot) === service);
  return {
    order(service, replicas) {
      const states = of(service);
      if (states.length === 0) return { ok: false, status: 404, reason: noReplicas(service, slotStates()) };
      const reason = whyNot(service, states, replicas) ?? whyNotNow(service, state());
      if (reason !== undefined) return { ok: false, status: 409, reason };
      const scale = scaleTo(states, replicas);
      state().scales.set(service, scale);
      log("scale-begun", { service, ...scale });
      wake();
      return { ok: true };
    },
    rows: () => [...state().scales].map(([service, scale]) => rowOf(service, scale, of(service))),
  };
}

/** A program of ours that is told who it is has no number. */
function isReplica({ slot }: SlotState): boolean {
  return SCALABLE.has(slot.role) && slot.service !== undefined && slot.id !== slot.service;
}

function noReplicas(service: string, slotStates: readonly SlotState[]): string {
  const others = new Set(slotStates.filter(isReplica).map(({ slot }) => slot.service));
  if (others.size === 0) return `there are no replicas here, of ${service} or of any other service`;
  return `there are no replicas of ${service} here: there are those of ${[...others].join(", ")}`;
}

/** As its replicas are. */
function whyNot(service: string, states: readonly SlotState[], replicas: number): string | undefined {
  const role = states[0]?.slot.role ?? "server";
  if (!states.every(isReplica)) return `${service} is a ${role}, and there is one of it`;
  const faulty = states.find(({ slot }) => slot.faults !== undefined);
  if (faulty !== undefined) return `${faulty.slot.id} is misconfigured: ${faulty.slot.faults?.join("; ")}`;
  if (states.some(({ held }) => held?.paused)) return `${service} is paused: resume it first`;
  if (states.some(({ found }) => found?.recreated !== undefined))
    return `docker compose makes ${service} anew just now: wait for its end`;
  const makings = new Set(states.flatMap(({ found }) => found?.making ?? []));
  if (makings.size > 1)
    return `the replicas of ${service} are not alike: roll ${service} first, or docker compose up -d`;
  if (replicas > states.length && !states.some(serves))
    return `no replica of ${service} serves, which the new ones would be like`;
  return undefined;
}

function whyNotNow(service: string, { rolls, scales }: ReturnType<ScalesParts["state"]>): string | undefined {
  const [roll, scale] = [rolls.get(service), scales.get(service)];
  if (roll !== undefined && isUnderWay(roll)) return `${service} is being rolled: scale it when that is over`;
  if (scale !== undefined && scaleUnderWay(scale)) return `${service} is being scaled to ${scale.to} already`;
  return undefined;
}

/** Numbers go on from the highest, and the highest go first, as Compose has it. */
function scaleTo(states: readonly SlotState[], to: number): Scale {
  const ids = states.map(({ slot }) => slot.id).sort(byNumber);
  const from = ids.length;
  const [, service = "", last = "0"] = /^(.*)-(\d+)$/.exec(ids.at(-1) ?? "") ?? [];
  const added = Array.from({ length: Math.max(0, to - from) }, (_, index) => `${service}-${Number(last) + index + 1}`);
  return { from, to, added, removed: ids.slice(to), phase: "scaling", sinceMs: nowMs() };
}

function rowOf(service: string, scale: Scale, states: readonly SlotState[]): ScaleRow {
  const { from, to, added, removed, phase, reason, tookMs } = scale;
  const there = new Map(states.map((each) => [each.slot.id, each]));
  const slots = [
    ...added.map((slot) => ({ slot, done: there.has(slot) && serves(there.get(slot) as SlotState) })),
    ...removed.map((slot) => ({ slot, done: !there.has(slot) })),
  ];
  return {
    ...{ service, phase, from, to, reason: reason ?? null, tookMs: tookMs ?? null, slots },
    paused: scaleUnderWay(scale) && states.some(({ held }) => held?.paused),
  };
}
