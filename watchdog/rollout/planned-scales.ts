// Pure. The steps of all scales in one round: (scales, slot states) -> steps for the executor, and how the scales go on. What a scale
// adds or takes away is the scale's to judge; of the others the plan takes care.

import type { Step } from "../rules/plan.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { nextOfScale, type Scale, type ScaleNow, type ScaleStep, scaleUnderWay } from "./scale.ts";

export interface PlannedScales {
  readonly steps: readonly Step[];
  /** By service; those that have changed. */
  readonly turned: ReadonlyMap<string, Scale>;
  /** The slots that the plan leaves alone. */
  readonly slots: ReadonlySet<string>;
}

export function plannedScales(scales: ReadonlyMap<string, Scale>, now: ScaleNow): PlannedScales {
  const steps: Step[] = [];
  const turned = new Map<string, Scale>();
  const slots = new Set<string>();
  for (const [service, scale] of scales) {
    const states = now.states.filter(({ slot }) => slot.service === service && slot.id !== service);
    if (!scaleUnderWay(scale) || states.some(({ held }) => held?.paused)) continue;
    const next = nextOfScale(scale, { ...now, states });
    for (const id of [...scale.added, ...scale.removed]) slots.add(id);
    steps.push(...next.steps.flatMap((step) => stepOf(step, states)));
    if (next.turned !== undefined) turned.set(service, next.turned);
  }
  return { steps, turned, slots };
}

function stepOf(step: ScaleStep, states: readonly SlotState[]): Step[] {
  const { kind, slot, reason } = step;
  if (kind === "add" || kind === "forget") return [step as Step];
  const instance = states.find((state) => state.slot.id === slot.id)?.found?.instance;
  return instance === undefined ? [] : [{ kind, slot, reason, instance }];
}
