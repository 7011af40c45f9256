// A small world for the plan to walk through: slots whose members crash, hang, are stopped, paused, removed or started at
// random, and heals that take their time. It holds what is true; every round checks the plan's steps against that.

import assert from "node:assert/strict";
import type { Found, Life } from "../../watchdog/engine.ts";
import { type EngineEvent, type Wish, wishAfter, wishOfRunning } from "../../watchdog/intent.ts";
import { type Limits, plan, type Situation, type Step, serves } from "../../watchdog/plan.ts";
import { healed, type RestartRecord, served, unblemished } from "../../watchdog/restart.ts";
import { found, passed, silent, slotOf } from "./situations.ts";

export const ROUND_MS = 500;
const SLOTS = ["balancer", "proxy-1", "proxy-2", "server-1", "server-2", "server-3", "client"];
const LIMITS: Limits = { missedMax: 3, startTimeoutMs: 5_000 };
const HEAL_ROUNDS = 2;

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
  lastInstance: string;
  /** The truth that the wishes are to find out. */
  stoppedOnPurpose: boolean;
  /** What its next members come to: exit at once, hang, never report. Until the faults end. */
  curse: "none" | "exits" | "hangs" | "mute";
  seenSinceMs: number;
  servingSinceMs: number | undefined;
  missed: number;
  restart: RestartRecord;
  /** Rounds until its heal ends; 0: none is under way. */
  healingFor: number;
}

type Suffering = (place: Place, world: World) => void;

/** What somebody, or chance, does to a place that no heal is busy with. */
const sufferings = {
  crash: (place, world) => world.end(place, { code: 1 }),
  "docker kill": (place, world) => world.end(place, { code: 137 }, "KILL"),
  "kill with a signal": (place, world) => world.end(place, { code: 143 }, "TERM"),
  "out of memory": (place, world) => world.end(place, { code: 137, oom: true }),
  hang: ({ member }) => member && Object.assign(member, { hangs: true }),
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
} satisfies Record<string, Suffering>;

export type Fault = keyof typeof sufferings;
export const faults = Object.keys(sufferings) as Fault[];

export class World {
  readonly #random: () => number;
  readonly #wishes = new Map<string, Wish>();
  readonly #places: readonly Place[];
  #made = 0;
  #nowMs = 1_000_000;

  /** @param random from [0, 1), for the jitter of restarts */
  constructor(random: () => number) {
    this.#random = random;
    this.#places = SLOTS.map((id) => this.#place(id));
  }

  suffer(fault: Fault, which: number): void {
    const place = this.#places[which % this.#places.length] as Place;
    if (place.healingFor === 0) (sufferings[fault] as Suffering)(place, this);
  }

  /** Nothing bad happens any more: what is paused goes on, and new members are sound again. */
  endFaults(): void {
    for (const place of this.#places) {
      place.curse = "none";
      // The last of a role that still answers stays, whatever its own health check says: that one has to recover by itself.
      const last = this.#places.every(
        (other) => roleOf(other) !== roleOf(place) || other === place || other.stoppedOnPurpose,
      );
      if (last && place.member !== undefined) place.member.unhealthy = false;
      if (place.member?.life.kind === "paused") place.member.life = { kind: "running", sinceMs: this.#nowMs };
    }
  }

  /** Time passes, heals end, the watchdog looks and acts. Returns its steps, each of them checked. */
  round(): Step[] {
    this.#nowMs += ROUND_MS;
    for (const place of this.#places) this.#goOnHealing(place);
    const situations = this.#places.map((place) => this.#observe(place));
    const steps = plan(situations, LIMITS, this.#nowMs);
    for (const step of steps) this.#check(step, situations);
    for (const { kind, slot } of steps) if (kind === "heal") this.#beginHeal(this.#at(slot.id));
    return steps;
  }

  /** Slots that do not serve though nobody stopped them, and those that serve though somebody did. */
  unwell(): string[] {
    const isWell = (place: Place) => (place.stoppedOnPurpose ? !isSound(place.member) : isSound(place.member));
    return this.#places.filter((place) => !isWell(place)).map(({ id }) => id);
  }

  end(place: Place, how: { code: number; oom?: boolean }, signal?: string): void {
    const { member } = place;
    if (member?.life.kind !== "running") return;
    member.life = { kind: "exited", oom: false, ...how };
    const { instance } = member;
    if (signal !== undefined) this.#happened({ kind: "signalled", instance, signal });
    this.#happened({ kind: "died", instance });
  }

  stop(place: Place): void {
    if (place.member?.life.kind !== "running") return;
    this.end(place, { code: 0 }, "TERM");
    this.#happened({ kind: "stopped", instance: place.member.instance });
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
    this.#happened({ kind: "started", instance: place.lastInstance });
  }

  #happened(event: EngineEvent & { instance: string }): void {
    const wish = wishAfter(this.#wishes.get(event.instance), event, this.#nowMs);
    if (wish === undefined) this.#wishes.delete(event.instance);
    else this.#wishes.set(event.instance, wish);
  }

  #place(id: string): Place {
    const place: Place = {
      id,
      member: undefined,
      lastInstance: "",
      stoppedOnPurpose: false,
      curse: "none",
      seenSinceMs: 0,
      servingSinceMs: undefined,
      missed: 0,
      restart: unblemished,
      healingFor: 0,
    };
    this.#fill(place);
    return place;
  }

  #fill(place: Place): void {
    this.#made += 1;
    const instance = `${place.id}#${this.#made}`;
    const life: Life =
      place.curse === "exits" ? { kind: "exited", code: 78, oom: false } : { kind: "running", sinceMs: this.#nowMs };
    place.member = { instance, life, mute: place.curse === "mute", hangs: place.curse === "hangs", unhealthy: false };
    place.lastInstance = instance;
    place.seenSinceMs = this.#nowMs;
    place.missed = 0;
  }

  #goOnHealing(place: Place): void {
    if (place.healingFor === 0) return;
    place.healingFor -= 1;
    if (place.healingFor === 0) this.#fill(place);
  }

  #beginHeal(place: Place): void {
    place.healingFor = HEAL_ROUNDS;
    place.restart = healed(place.restart, this.#nowMs, this.#random());
    place.missed = 0;
    place.servingSinceMs = undefined;
  }

  #observe(place: Place): Situation {
    const { id, member, healingFor } = place;
    const seen = member && asFound(id, member);
    const probed = seen?.ports === undefined ? undefined : member?.hangs ? silent : passed;
    place.missed = probed === silent ? place.missed + 1 : 0;
    place.servingSinceMs = probed === passed ? (place.servingSinceMs ?? this.#nowMs) : undefined;
    if (place.servingSinceMs !== undefined) place.restart = served(place.restart, this.#nowMs - place.servingSinceMs);
    const { missed, restart, seenSinceMs } = place;
    const last = this.#wishes.get(place.lastInstance);
    const wish = seen?.life.kind === "running" ? wishOfRunning(last, this.#nowMs) : last;
    const known = { slot: slotOf(id), seenSinceMs, missed, restart, healing: healingFor > 0 };
    return { ...known, ...(seen && { found: seen }), ...(wish && { wish }), ...(probed && { probed }) };
  }

  #check(step: Step, situations: readonly Situation[]): void {
    const place = this.#at(step.slot.id);
    assert.equal(place.healingFor, 0, `a step for ${place.id}, whose heal is under way`);
    if (step.kind === "wait") return;
    const about = `heal of ${place.id} (${step.reason})`;
    assert.ok(!place.stoppedOnPurpose, `${about}: it was stopped on purpose`);
    assert.ok(this.#nowMs >= place.restart.notBeforeMs, `${about}: before its time`);
    assert.ok(!isSound(place.member), `${about}: there is nothing wrong with it`);
    assert.equal(step.replaces, place.member?.instance, about);
    const self = situations.find(({ slot }) => slot.id === place.id) as Situation;
    const rest = situations.filter(({ slot }) => slot.role === step.slot.role && slot.id !== place.id);
    assert.ok(!serves(self) || rest.some(serves), `${about}: it is the last that serves`);
  }

  #at(id: string): Place {
    return this.#places.find((place) => place.id === id) as Place;
  }
}

const roleOf = ({ id }: Place) => slotOf(id).role;

function isSound(member: Member | undefined): boolean {
  return member?.life.kind === "running" && !member.mute && !member.hangs && !member.unhealthy;
}

function asFound(id: string, { instance, life, mute, unhealthy }: Member): Found {
  const base = { ...found(id, life), instance, unhealthy: unhealthy && life.kind === "running" };
  return life.kind !== "running" || mute ? base : { ...base, host: "10.0.0.1", ports: { port: 9001, adminPort: 9101 } };
}
