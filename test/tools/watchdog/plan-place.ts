// One slot of the plan's world: what is true of it, what the watchdog knows of it, and what the engine would list.

import type { Found, Life } from "../../../watchdog/engines/discovery.ts";
import { type Liveness, unprobed } from "../../../watchdog/observe/liveness.ts";
import type { Step } from "../../../watchdog/rules/plan.ts";
import { type RestartRecord, unblemished } from "../../../watchdog/rules/restart-policy.ts";
import { found, slotOf } from "./slot-states.ts";

const PREVIOUS: Life = { kind: "previous", running: false };

export interface Member {
  readonly instance: string;
  life: Life;
  /** Does it ever say where it listens? */
  mute: boolean;
  hangs: boolean;
  unhealthy: boolean;
}

export interface Place {
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

export function emptyPlace(id: string): Place {
  return {
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
}

/** Here there is one group of servers, so a role is a tier. */
export const sameTier = (one: { id: string }, other: { id: string }) => slotOf(one.id).role === slotOf(other.id).role;

export function isSound(member: Member | undefined): boolean {
  return member?.life.kind === "running" && !member.mute && !member.hangs && !member.unhealthy;
}

/** Or has been stopped for good. */
export const answers = (member: Member | undefined) =>
  member?.life.kind === "exited" || (member?.life.kind === "running" && !member.mute && !member.hangs);

/** What the engine lists of it. */
export function foundIn({ id, member, previous }: Place): Found | undefined {
  if (member !== undefined) return asFound(id, member, previous);
  return previous && { ...asFound(id, previous, undefined), life: PREVIOUS };
}

export function endPrevious({ previous }: Place): void {
  if (previous?.life.kind === "running" || previous?.life.kind === "paused") {
    previous.life = { kind: "exited", code: 137, oom: false };
  }
}

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
