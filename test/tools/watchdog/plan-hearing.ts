// What the watchdog of the plan's world hears of the engine's events, and the stop intents that it reads from them.

import type { EngineEvent } from "../../../watchdog/engines/discovery.ts";
import { intentAfter, intentOfRunning, type StopIntent } from "../../../watchdog/rules/stop-intent.ts";
import type { Place } from "./plan-place.ts";

type MemberEvent = EngineEvent & { readonly instance: string };

export class Hearing {
  readonly #intents = new Map<string, StopIntent>();
  /** Events on their way, each with the place that it is about. */
  #late: { readonly place: Place; readonly event: MemberEvent }[] = [];

  /** An event may be lost, come twice, or come a round late behind those of other members. @param chance from [0, 1) */
  happened(place: Place, event: MemberEvent, { chance, nowMs }: { chance: number; nowMs: number }): void {
    if (chance < 0.05) place.heard = false;
    else if (chance < 0.1) this.#late.push({ place, event });
    else for (let times = chance > 0.95 ? 2 : 1; times > 0; times -= 1) this.#hear(event, nowMs);
  }

  deliver(nowMs: number): void {
    for (const { place, event } of this.#late) {
      // By then the member may have been started, stopped and started again: what is heard out of order says nothing sure.
      place.heard = false;
      this.#hear(event, nowMs);
    }
    this.#late = [];
  }

  #hear(event: MemberEvent, nowMs: number): void {
    const intent = intentAfter(this.#intents.get(event.instance), event, nowMs);
    if (intent === undefined) this.#intents.delete(event.instance);
    else this.#intents.set(event.instance, intent);
  }

  intentOf({ member, lastInstance }: Place, nowMs: number): StopIntent | undefined {
    const instance = member?.instance ?? lastInstance;
    const intent = this.#intents.get(instance);
    if (member?.life.kind !== "running") return intent;
    const left = intentOfRunning(intent, member.life, nowMs);
    if (left === undefined) this.#intents.delete(instance);
    return left;
  }
}
