// What somebody, or chance, does to the plan's world, by name.

import { suspect } from "../../../watchdog/observe/liveness.ts";
import type { Place } from "./plan-place.ts";

/** What the world lets be done to it. */
export interface Suffers {
  readonly end: (place: Place, how: { code: number; oom?: boolean }, signal?: string) => void;
  readonly stop: (place: Place) => void;
  readonly remove: (place: Place) => void;
  readonly start: (place: Place) => void;
  readonly killWatchdog: () => void;
}

type Suffering = (place: Place, world: Suffers) => void;

const sufferings = {
  crash: (place, world) => world.end(place, { code: 1 }),
  "docker kill": (place, world) => world.end(place, { code: 137 }, "KILL"),
  "kill with a signal": (place, world) => world.end(place, { code: 143 }, "TERM"),
  "out of memory": (place, world) => world.end(place, { code: 137, oom: true }),
  "a taken port": (place, world) => world.end(place, { code: 71 }),
  hang: ({ member }) => member && Object.assign(member, { hangs: true }),
  "hang and be suspected": (place) => {
    if (place.member) place.member.hangs = true;
    place.liveness = suspect(place.liveness);
  },
  "be suspected for nothing": (place) => Object.assign(place, { liveness: suspect(place.liveness) }),
  "health check fails": ({ member }) => member && Object.assign(member, { unhealthy: true }),
  remove: (place, world) => world.remove(place),
  stop: (place, world) => world.stop(place),
  "stop and remove": (place, world) => {
    world.stop(place);
    world.remove(place);
  },
  start: (place, world) => world.start(place),
  pause: ({ member }) => member?.life.kind === "running" && Object.assign(member, { life: { kind: "paused" } }),
  "successors exit": (place) => Object.assign(place, { curse: "exits" }),
  "successors hang": (place) => Object.assign(place, { curse: "hangs" }),
  "successors are mute": (place) => Object.assign(place, { curse: "mute" }),
  hold: (place) => Object.assign(place, { held: true }),
  release: (place) => Object.assign(place, { held: false }),
  order: (place) => Object.assign(place, { ordered: place.member?.life.kind === "running" }),
  "the watchdog dies": (_place, world) => world.killWatchdog(),
} satisfies Record<string, Suffering>;

export type Fault = keyof typeof sufferings;
export const faults = Object.keys(sufferings) as Fault[];

/** Does it, to a place that no step is busy with, or to the watchdog at any time. */
export function inflict(fault: Fault, place: Place, world: Suffers): void {
  if (fault === "the watchdog dies" || place.acting === undefined) (sufferings[fault] as Suffering)(place, world);
}
