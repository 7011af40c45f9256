// A small world for the plan to walk through: slots whose members crash, hang, are stopped, paused, removed or started at
// random, steps that take their time, a watchdog that dies in the middle of them, and events that get lost, come twice or come
// late. It holds what is true; every round checks the plan's steps against that.

import assert from "node:assert/strict";
import type { EngineEvent, Found, Life } from "../../watchdog/engines/discovery.ts";
import { counted, type Liveness, suspect, unprobed } from "../../watchdog/observe/liveness.ts";
import { type PlanLimits, plan, type Step } from "../../watchdog/rules/plan.ts";
import { healed, type RestartRecord, served, unblemished } from "../../watchdog/rules/restart-policy.ts";
import { type SlotState, serves } from "../../watchdog/rules/slot-state.ts";
import { intentAfter, intentOfRunning, type StopIntent } from "../../watchdog/rules/stop-intent.ts";
import { found, notReady, passed, silent, slotOf } from "./slot-states.ts";

export const ROUND_MS = 500;
const SLOTS = ["balancer", "proxy-1", "proxy-2", "server-1", "server-2", "server-3", "client"];
const LIMITS: PlanLimits = { missedMax: 2, startTimeoutMs: 5_000 };
const PREVIOUS: Life = { kind: "previous", running: false };
/** How long a step takes. */
const STEP_ROUNDS = 2;

interface Member {
  readonly instance: string;
  life: Life;
  /** Does it ever say where it listens? */
  mute: boolean;
  hangs: boolean;
  unhealthy: boolean;
}

interface Place {
  readonly id: string;
  member: Member | undefined;
  previous: Member | undefined;
  /** What the watchdog knows to have filled it last. */
  lastInstance: string;
  /** The truth that the stop intents are to find out, and whether every event of it was heard. */
  stoppedOnPurpose: boolean;
  heard: boolean;
  /** What its next members come to: exit at once, hang, never report. Until the faults end. */
  curse: "none" | "exits" | "hangs" | "mute";
  seen: { readonly run: string; readonly sinceMs: number };
  liveness: Liveness;
  restart: RestartRecord;
  ordered: boolean;
  held: boolean;
  acting: { readonly step: Step; rounds: number } | undefined;
}

type Suffering = (place: Place, world: World) => void;

/** What somebody, or chance, does to a place that no step is busy with. */
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

export class World {
  readonly #random: () => number;
  readonly #intents = new Map<string, StopIntent>();
  readonly #places: readonly Place[];
  /** Events on their way, each with the place that it is about. */
  #late: { readonly place: Place; readonly event: EngineEvent & { instance: string } }[] = [];
  #sound = false;
  #made = 0;
  #nowMs = 1_000_000;

  /** @param random from [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
    this.#places = SLOTS.map((id) => this.#place(id));
  }

  suffer(fault: Fault, which: number): void {
    const place = this.#places[which % this.#places.length] as Place;
    if (fault === "the watchdog dies" || place.acting === undefined) (sufferings[fault] as Suffering)(place, this);
  }

  /** Nothing bad happens any more: what is paused goes on, new members are sound again, and every event is heard in time. */
  endFaults(): void {
    this.#sound = true;
    for (const place of this.#places) {
      place.curse = "none";
      place.held = false;
      // The last of a tier that still answers stays, whatever its own health check says: that one has to recover by itself.
      const others = this.#places.filter((other) => other !== place && sameTier(other, place));
      if (others.every(({ stoppedOnPurpose }) => stoppedOnPurpose) && place.member) place.member.unhealthy = false;
      if (place.member?.life.kind === "paused") place.member.life = { kind: "running", sinceMs: this.#nowMs };
      // Who hangs is found out by the tiers' own requests in the end.
      if (place.member?.hangs) place.liveness = suspect(place.liveness);
    }
  }

  /** Time passes, steps end, the watchdog looks and acts. Returns its steps, each of them checked. */
  round(): Step[] {
    this.#nowMs += ROUND_MS;
    this.#deliver();
    for (const place of this.#places) this.#goOn(place);
    const slotStates = this.#places.map((place) => this.#observe(place));
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
    return this.#places.filter((place) => !isWell(place)).map(({ id }) => id);
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
    for (const place of this.#places) {
      if (place.acting !== undefined) this.#breakOff(place, place.acting.step);
      place.acting = undefined;
      place.liveness = unprobed;
      place.ordered = false;
      place.seen = { run: "", sinceMs: this.#nowMs };
    }
  }

  /** An event may be lost, come twice, or come a round late behind those of other members. */
  #happened(place: Place, event: EngineEvent & { instance: string }): void {
    const chance = this.#sound ? 0.5 : this.#random();
    if (chance < 0.05) place.heard = false;
    else if (chance < 0.1) this.#late.push({ place, event });
    else for (let times = chance > 0.95 ? 2 : 1; times > 0; times -= 1) this.#hear(event);
  }

  #deliver(): void {
    for (const { place, event } of this.#late) {
      // By then the member may have been started, stopped and started again: what is heard out of order says nothing sure.
      place.heard = false;
      this.#hear(event);
    }
    this.#late = [];
  }

  #hear(event: EngineEvent & { instance: string }): void {
    const intent = intentAfter(this.#intents.get(event.instance), event, this.#nowMs);
    if (intent === undefined) this.#intents.delete(event.instance);
    else this.#intents.set(event.instance, intent);
  }

  #place(id: string): Place {
    const place: Place = {
      id,
      member: undefined,
      previous: undefined,
      lastInstance: "",
      stoppedOnPurpose: false,
      heard: true,
      curse: "none",
      seen: { run: "", sinceMs: 0 },
      liveness: unprobed,
      restart: unblemished,
      ordered: false,
      held: false,
      acting: undefined,
    };
    this.#fill(place);
    return place;
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
      this.#endPrevious(place);
      this.#fill(place);
    }
    if (step.kind === "roll-back") place.member = place.previous;
    if (step.kind === "commit" || step.kind === "roll-back") place.previous = undefined;
  }

  /** The engine's calls of a step, up to any one of them. */
  #breakOff(place: Place, { kind }: Step): void {
    const calls = Math.floor(this.#random() * 5);
    if (kind !== "heal") {
      if (calls > 2 && kind === "roll-back") place.member = place.previous;
      if (calls > 2) place.previous = undefined;
      return;
    }
    if (calls >= 1) this.#makePrevious(place);
    if (calls >= 2) this.#fill(place, { kind: "created" });
    if (calls >= 3) this.#endPrevious(place);
    if (calls >= 4 && place.member) place.member.life = this.#begun(place);
  }

  /** Where there is a previous one already, it is that one's heal that goes on: the name is taken. */
  #makePrevious(place: Place): void {
    if (place.member === undefined) return;
    assert.equal(place.previous, undefined, `${place.id}: two would be previous`);
    place.previous = place.member;
    place.member = undefined;
  }

  #endPrevious({ previous }: Place): void {
    if (previous?.life.kind === "running" || previous?.life.kind === "paused") {
      previous.life = { kind: "exited", code: 137, oom: false };
    }
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
    const { id, member, previous, held, acting } = place;
    const seen = member
      ? asFound(id, member, previous)
      : previous && { ...asFound(id, previous, undefined), life: PREVIOUS };
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
    const intent = this.#intentOf(place);
    return {
      slot: slotOf(id),
      seenSinceMs: place.seen.sinceMs,
      missed,
      suspected,
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
    const servers = this.#places.filter((place) => place.id.startsWith("server"));
    return id.startsWith("proxy") && !servers.some(({ member }) => isSound(member)) ? notReady : passed;
  }

  #intentOf({ member, lastInstance }: Place): StopIntent | undefined {
    const instance = member?.instance ?? lastInstance;
    const intent = this.#intents.get(instance);
    if (member?.life.kind !== "running") return intent;
    const left = intentOfRunning(intent, member.life.sinceMs, this.#nowMs);
    if (left === undefined) this.#intents.delete(instance);
    return left;
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
    return this.#places.find((place) => place.id === id) as Place;
  }
}

/** Here there is one group of servers, so a role is a tier. */
const sameTier = (one: { id: string }, other: { id: string }) => slotOf(one.id).role === slotOf(other.id).role;

function isSound(member: Member | undefined): boolean {
  return member?.life.kind === "running" && !member.mute && !member.hangs && !member.unhealthy;
}

/** Or has been stopped for good. */
const answers = (member: Member | undefined) =>
  member?.life.kind === "exited" || (member?.life.kind === "running" && !member.mute && !member.hangs);

function asFound(id: string, { instance, life, mute, unhealthy }: Member, previous: Member | undefined): Found {
  const succeeds = previous && { succeeds: previous.instance };
  const base = {
    ...found(id, life),
    instance,
    ours: true,
    ...succeeds,
    unhealthy: unhealthy && life.kind === "running",
  };
  return life.kind !== "running" || mute ? base : { ...base, host: "10.0.0.1", ports: { port: 9001, adminPort: 9101 } };
}
