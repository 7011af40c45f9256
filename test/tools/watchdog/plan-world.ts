// A small world for the plan to walk through: slots whose members crash, hang, are stopped, paused, removed or started at
// random, steps that take their time, a watchdog that dies in the middle of them, and events that get lost, come twice or come
// late. It holds what is true; every round checks the plan's steps against that.

import assert from "node:assert/strict";
import type { EngineEvent, Life } from "../../../watchdog/engines/discovery.ts";
import { counted, suspect, unprobed } from "../../../watchdog/observe/liveness.ts";
import type { PlanLimits } from "../../../watchdog/rules/need.ts";
import { plan, type Step } from "../../../watchdog/rules/plan.ts";
import { healed, served } from "../../../watchdog/rules/restart-policy.ts";
import { type SlotState, serves } from "../../../watchdog/rules/slot-state.ts";
import { type Fault, inflict } from "./plan-faults.ts";
import { Hearing } from "./plan-hearing.ts";
import { answers, emptyPlace, endPrevious, foundIn, isSound, type Member, type Place, sameTier } from "./plan-place.ts";
import { notReady, passed, silent, slotOf } from "./slot-states.ts";

export const ROUND_MS = 500;
const SLOTS = ["balancer", "proxy-1", "proxy-2", "server-1", "server-2", "server-3", "client"];
const LIMITS: PlanLimits = { missedMax: 2, startTimeoutMs: 5_000 };
/** How long a step takes. */
const STEP_ROUNDS = 2;

export class World {
  readonly #random: () => number;
  readonly #hearing = new Hearing();
  readonly #slots: readonly Place[];
  #sound = false;
  #made = 0;
  #nowMs = 1_000_000;

  /** @param random from [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
    this.#slots = SLOTS.map(emptyPlace);
    for (const place of this.#slots) this.#fill(place);
  }

  suffer(fault: Fault, which: number): void {
    const place = this.#slots[which % this.#slots.length] as Place;
    inflict(fault, place, this);
  }

  /** Nothing bad happens any more: what is paused goes on, new members are sound again, and every event is heard in time. */
  endFaults(): void {
    this.#sound = true;
    for (const place of this.#slots) {
      place.curse = "none";
      place.held = false;
      // The last of a tier that still answers stays, whatever its own health check says: that one has to recover by itself.
      const others = this.#slots.filter((other) => other !== place && sameTier(other, place));
      if (others.every(({ stoppedOnPurpose }) => stoppedOnPurpose) && place.member) place.member.unhealthy = false;
      if (place.member?.life.kind === "paused") place.member.life = { kind: "running", sinceMs: this.#nowMs };
      // Who hangs is found out by the tiers' own requests in the end.
      if (place.member?.hangs) place.liveness = suspect(place.liveness);
    }
  }

  /** Time passes, steps end, the watchdog looks and acts. Returns its steps, each of them checked. */
  round(): Step[] {
    this.#nowMs += ROUND_MS;
    this.#hearing.deliver(this.#nowMs);
    for (const place of this.#slots) this.#goOn(place);
    const slotStates = this.#slots.map((place) => this.#observe(place));
    const steps = plan(slotStates, LIMITS, this.#nowMs);
    for (const step of steps) this.#check(step, slotStates);
    for (const step of steps) if (step.kind !== "wait") this.#begin(step);
    return steps;
  }

  /** What is not as it should be: a slot that does not serve though nobody stopped it, serves though somebody did, or has two members. */
  unwell(): string[] {
    const isWell = (place: Place) => {
      if (place.previous !== undefined) return false;
      if (!place.stoppedOnPurpose) return isSound(place.member);
      return !place.heard || !isSound(place.member);
    };
    return this.#slots.filter((place) => !isWell(place)).map(({ id }) => id);
  }

  end(place: Place, how: { code: number; oom?: boolean }, signal?: string): void {
    const { member } = place;
    if (member?.life.kind !== "running") return;
    member.life = { kind: "exited", oom: false, ...how };
    const { instance } = member;
    if (signal !== undefined) this.#happened(place, { kind: "signalled", instance, signal, engineMs: this.#nowMs });
    this.#happened(place, { kind: "died", instance, engineMs: this.#nowMs });
  }

  stop(place: Place): void {
    if (place.member?.life.kind !== "running") return;
    // Of a member that came and went between two rounds no watchdog knows whose it was.
    place.heard = place.lastInstance === place.member.instance;
    this.end(place, { code: 0 }, "TERM");
    this.#happened(place, { kind: "stopped", instance: place.member.instance, engineMs: this.#nowMs });
    place.stoppedOnPurpose = true;
  }

  remove(place: Place): void {
    if (place.member?.life.kind === "running") this.end(place, { code: 137 }, "KILL");
    place.member = undefined;
  }

  start(place: Place): void {
    if (place.member?.life.kind === "running" || place.member?.life.kind === "paused") return;
    if (place.member === undefined) this.#fill(place);
    else place.member.life = { kind: "running", sinceMs: this.#nowMs };
    place.stoppedOnPurpose = false;
    const { instance } = place.member as unknown as Member;
    this.#happened(place, { kind: "started", instance, engineMs: this.#nowMs });
  }

  /** In the middle of whatever it does: the engine is left as it is then, and the next watchdog knows what is on disk. */
  killWatchdog(): void {
    for (const place of this.#slots) {
      if (place.acting !== undefined) this.#breakOff(place, place.acting.step);
      place.acting = undefined;
      place.liveness = unprobed;
      place.ordered = false;
      place.seen = { run: "", sinceMs: this.#nowMs };
    }
  }

  #happened(place: Place, event: EngineEvent & { instance: string }): void {
    this.#hearing.happened(place, event, { chance: this.#sound ? 0.5 : this.#random(), nowMs: this.#nowMs });
  }

  #fill(place: Place, life: Life = this.#begun(place)): void {
    this.#made += 1;
    const instance = `${place.id}#${this.#made}`;
    place.member = { instance, life, mute: place.curse === "mute", hangs: place.curse === "hangs", unhealthy: false };
  }

  #begun({ curse }: Place): Life {
    return curse === "exits" ? { kind: "exited", code: 78, oom: false } : { kind: "running", sinceMs: this.#nowMs };
  }

  #goOn(place: Place): void {
    if (place.acting === undefined) return;
    place.acting.rounds -= 1;
    if (place.acting.rounds > 0) return;
    const { step } = place.acting;
    place.acting = undefined;
    if (step.kind === "heal") {
      this.#makePrevious(place);
      endPrevious(place);
      place.previous = undefined;
      this.#fill(place);
    }
    if (step.kind === "roll-back") place.member = place.previous;
    if (step.kind === "commit" || step.kind === "roll-back") place.previous = undefined;
  }

  /** The engine's calls of a step, up to any one of them. */
  #breakOff(place: Place, { kind }: Step): void {
    const calls = Math.floor(this.#random() * 6);
    if (kind !== "heal") {
      if (calls > 2 && kind === "roll-back") place.member = place.previous;
      if (calls > 2) place.previous = undefined;
      return;
    }
    if (calls >= 1) this.#makePrevious(place);
    if (calls >= 2) this.#fill(place, { kind: "created" });
    if (calls >= 3) endPrevious(place);
    if (calls >= 4) place.previous = undefined;
    if (calls >= 5 && place.member) place.member.life = this.#begun(place);
  }

  /** Where there is a previous one already, it is that one's heal that goes on: the name is taken. */
  #makePrevious(place: Place): void {
    if (place.member === undefined) return;
    assert.equal(place.previous, undefined, `${place.id}: two would be previous`);
    place.previous = place.member;
    place.member = undefined;
  }

  #begin(step: Step): void {
    const place = this.#at(step.slot.id);
    place.acting = { step, rounds: STEP_ROUNDS };
    if (step.kind !== "heal") return;
    const moment = { nowMs: this.#nowMs, servedMs: place.liveness.servedMs, random: this.#random() };
    if (!place.ordered) place.restart = healed(place.restart, moment);
    place.liveness = unprobed;
    place.ordered = false;
  }

  #observe(place: Place): SlotState {
    const { id, member, held, acting } = place;
    const seen = foundIn(place);
    if (member?.life.kind === "running") place.lastInstance = member.instance;
    const run = `${member?.instance} ${member?.life.kind === "running" ? member.life.sinceMs : ""}`;
    if (member !== undefined && place.seen.run !== run) {
      place.seen = { run, sinceMs: this.#nowMs };
      place.liveness = { ...unprobed, servedMs: place.liveness.servedMs, suspected: place.liveness.suspected };
    }
    const probed =
      seen?.ports === undefined || member === undefined ? undefined : member.hangs ? silent : this.#answerOf(id);
    place.liveness = counted(place.liveness, probed, this.#nowMs);
    if (place.liveness.servingSinceMs !== undefined) place.restart = served(place.restart, place.liveness.servedMs);
    const { missed, missedSinceMs, suspected } = place.liveness;
    const intent = this.#hearing.intentOf(place, this.#nowMs);
    return {
      slot: slotOf(id),
      answered: true,
      filledBefore: true,
      seenSinceMs: place.seen.sinceMs,
      missed,
      suspected,
      known: true,
      restart: place.restart,
      portsTaken: 0,
      ordered: place.ordered,
      healing: acting !== undefined,
      ...(seen && { found: seen }),
      ...(intent && { intent }),
      ...(probed && { probed }),
      ...(missedSinceMs !== undefined && { missedSinceMs }),
      ...(held && { held: { sinceMs: 0 } }),
    };
  }

  /** A proxy is not ready while none of its servers is there. */
  #answerOf(id: string): typeof passed | typeof notReady {
    const servers = this.#slots.filter((place) => place.id.startsWith("server"));
    return id.startsWith("proxy") && !servers.some(({ member }) => isSound(member)) ? notReady : passed;
  }

  #check(step: Step, slotStates: readonly SlotState[]): void {
    const place = this.#at(step.slot.id);
    const about = `${step.kind} of ${place.id} (${step.reason})`;
    assert.equal(place.acting, undefined, `${about}: a step of it is under way`);
    if (step.kind === "commit")
      assert.ok(place.previous && (place.member === undefined || answers(place.member)), about);
    if (step.kind === "roll-back") assert.ok(place.previous && !isSound(place.member), about);
    if (step.kind !== "heal") return;
    assert.equal(place.previous && place.member, undefined, `${about}: its successor is not verified yet`);
    assert.ok(!place.held, `${about}: it is held`);
    assert.ok(!place.stoppedOnPurpose || !place.heard, `${about}: it was stopped on purpose`);
    assert.equal(step.replaces, (place.member ?? place.previous)?.instance, about);
    if (place.ordered) return;
    assert.ok(this.#nowMs >= place.restart.notBeforeMs, `${about}: before its time`);
    assert.ok(!isSound(place.member), `${about}: there is nothing wrong with it`);
    const self = slotStates.find(({ slot }) => slot.id === place.id) as SlotState;
    const rest = slotStates.filter(({ slot }) => slot.id !== place.id && sameTier(slot, place));
    assert.ok(!serves(self) || rest.some(serves), `${about}: it is the last that serves`);
  }

  #at(id: string): Place {
    return this.#slots.find((place) => place.id === id) as Place;
  }
}
