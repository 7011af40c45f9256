// Pure. The updates of services that Swarm has begun, as rolls: (services, tasks, slots) -> how far each has come. The last one of a
// service is shown until the next, as Swarm remembers it.

import type { ObservedRoll } from "../discovery.ts";
import type { SwarmService, SwarmTask } from "./answers.ts";

/** By the manager's word (moby api/types/swarm/service.go). */
const PHASES: Readonly<Record<string, ObservedRoll["phase"]>> = {
  updating: "rolling",
  completed: "done",
  paused: "paused",
  rollback_started: "rolling-back",
  rollback_completed: "rolled-back",
  rollback_paused: "paused",
};

/** A task of a service that takes requests, and its slot. */
export interface SlottedTask {
  readonly task: SwarmTask;
  readonly slot: string;
}

export function updateOf(
  { Spec, UpdateStatus }: SwarmService,
  service: string,
  tasks: readonly SlottedTask[],
): ObservedRoll | undefined {
  const phase = PHASES[UpdateStatus?.State ?? ""];
  if (phase === undefined) return undefined;
  const { Order, Parallelism = 1 } = Spec.UpdateConfig ?? {};
  const isUnderWay = phase !== "done" && phase !== "rolled-back";
  // A task keeps the template that it was made from.
  const wanted = isUnderWay ? makingOf(Spec.TaskTemplate) : undefined;
  return {
    service,
    phase,
    order: Order === "start-first" ? "start-first" : "stop-first",
    // 0 is all of them.
    parallel: Parallelism || Math.max(1, tasks.length),
    ...(UpdateStatus?.Message && isUnderWay && { reason: UpdateStatus.Message }),
    slots: tasks.map(({ task, slot }) => ({
      slot,
      rolled: wanted === undefined || makingOf(task.Spec) === wanted,
    })),
  };
}

/** A service's template says which runtime it is for, and its tasks' do not. */
function makingOf({ Runtime: _, ...template }: SwarmTask["Spec"]): string {
  return JSON.stringify(template);
}
