// Pure. The members a tier knows: what the registry says of each, beside the tier's own opinion of its health.
// Every change makes a new map and from it a frozen snapshot, the one thing a request reads.

import type { MemberState, RegistryMember } from "../../registry/document.ts";
import { MemberCounts } from "./counts.ts";
import { type Health, healthy } from "./health.ts";

/** How much an instance has to do, as concurrency.ts counts it. What is known of it changes; this stays with the instance. */
interface MemberLoad {
  /** Exchanges that are not over. */
  open: number;
  /** Of these, those whose response is on its way. */
  answering: number;
  /** When the latest of those began that it has answered, by monotonicMs(). */
  provedMs: number;
}

/** A member of the registry as a tier is to see it. */
export type Selected = RegistryMember & {
  /** A proxy's: how many servers behind it work. */
  readonly servers?: number;
};

export interface Member {
  readonly id: string;
  readonly role: RegistryMember["role"];
  /** Changes when the slot is filled anew: the new instance has no past. */
  readonly instance: string;
  readonly host: string;
  readonly port: number;
  readonly adminPort: number | undefined;
  readonly healthPath: string | undefined;
  /** What is taken off the front of a path on its way there. */
  readonly strip: string | undefined;
  /** The machine that it is on, where there are several. */
  readonly node: string | undefined;
  /** Does it speak the link? */
  readonly link: boolean;
  readonly state: MemberState;
  /** Was it asked to stop? Whatever becomes of it then is no fault of its own, or of a request's. */
  readonly leaving: boolean;
  /** Does it come in place of one that was stopped for it? */
  readonly recreated: boolean;
  /** How many servers work on what it is sent: those behind a proxy, at least 1, or itself. */
  readonly servers: number;
  /** Its share of the traffic beside the others'; 1 unless the registry says otherwise. */
  readonly weight: number;
  /** When it came in place of one that failed: from then on its share grows to the whole. Undefined: it has its share. */
  readonly healedAtMs: number | undefined;
  readonly health: Health;
  readonly load: MemberLoad;
  readonly counts: MemberCounts;
}

export type Members = ReadonlyMap<string, Member>;

export interface Snapshot {
  /** Who may get a new request, in the registry's order. */
  readonly serving: readonly Member[];
  /** Of these, those that are asked first: on the tier's own node while enough of them serve there, else all. */
  readonly near: readonly Member[];
  /** Ejected before and reachable again: each gets one request, which decides. */
  readonly halfOpen: readonly Member[];
  /** More than half are ejected: the doubt is about us, and health is ignored (Envoy's panic threshold). */
  readonly panic: boolean;
  /** From when on all of them have the same share: weights are 1 and slow starts over. Infinity: never. */
  readonly evenFromMs: number;
}

/** How long a healed member's share takes to grow to the whole. */
export const SLOW_START_MS = 10_000;

export const nobody: Snapshot = freeze({ serving: [], near: [], halfOpen: [], panic: false });

/** Below this share of members that are up, all that the registry says serve are used. */
const PANIC_SHARE = 0.5;

/**
 * Takes over a new registry. A member that is still the same instance keeps its health; one that fills a slot anew starts
 * slowly, for its caches and its compiler are cold. At a tier's own start nobody does: there would be nobody to be faster.
 */
export function adopt(members: Members, registered: readonly Selected[], nowMs: number): Members {
  return new Map(registered.map((entry) => [entry.id, merge(members.get(entry.id), entry, nowMs)]));
}

/** Replaces one member's health; the same map when the instance is no longer there. */
export function withHealth(members: Members, { id, instance }: Member, health: Health): Members {
  const known = members.get(id);
  if (known?.instance !== instance) return members;
  return new Map(members).set(id, Object.freeze({ ...known, health }));
}

/** Will nothing more come from it? Its slot is empty, or filled anew, or the registry says that it is down. */
export function isLost(members: Members, { id, instance }: Member): boolean {
  const known = members.get(id);
  return known?.instance !== instance || known.state === "down";
}

/** How many of those that serve by the registry are up. */
export function sharesOf(members: Members): { readonly up: number; readonly serving: number } {
  const serving = [...members.values()].filter(({ state }) => state === "serving");
  return { up: serving.filter(({ health }) => health.kind === "up").length, serving: serving.length };
}

/**
 * Who takes traffic: serving by the registry and up, and those of weight 0 only where the registry has no others. Never nobody while
 * it says that somebody serves.
 * @param ownNode the machine that the tier is on; undefined: all are alike to it
 */
export function snapshotOf(members: Members, ownNode?: string): Snapshot {
  const all = [...members.values()].filter(({ state }) => state === "serving");
  const weighed = all.filter(({ weight }) => weight > 0);
  const serving = weighed.length > 0 ? weighed : all;
  const up = serving.filter(({ health }) => health.kind === "up");
  const halfOpen = serving.filter(({ health }) => health.kind === "half-open" && !health.claimed);
  const panic = serving.length > 0 && up.length < serving.length * PANIC_SHARE;
  const near = panic || ownNode === undefined ? [] : onNode(up, ownNode, new Set(serving.map(({ node }) => node)).size);
  const used = panic ? serving : up;
  return freeze({ serving: used, near: near.length > 0 ? near : used, halfOpen, panic });
}

/** Those of a node; none while they are less than its part of all: they would work for others of its kind, on nodes with more. */
function onNode(up: readonly Member[], own: string, nodes: number): Member[] {
  const near = up.filter(({ node }) => node === own);
  return near.length * nodes >= up.length ? near : [];
}

/** What tells a member from the one before it in its slot. */
export function instanceOf({ host, port, generation = 0 }: RegistryMember): string {
  return `${host}:${port}#${generation}`;
}

function merge(known: Member | undefined, entry: Selected, nowMs: number): Member {
  const instance = instanceOf(entry);
  const { id, role, host, port, adminPort, health: healthPath, strip, node, link, state, weight = 1 } = entry;
  const same = known?.instance === instance;
  const health = same ? known.health : healthy;
  const counts = known?.counts ?? new MemberCounts();
  const load = same ? known.load : { open: 0, answering: 0, provedMs: 0 };
  // A first generation is a start of the system; a later one begins its slow start when it serves, not when announced.
  const takesPlace = known !== undefined && (entry.generation ?? 1) > 1 && (!same || known.state === "starting");
  const begins = state === "serving" && takesPlace;
  const healedAtMs = begins ? nowMs : same ? known.healedAtMs : undefined;
  return Object.freeze({
    ...{
      id,
      role,
      instance,
      host,
      port,
      adminPort,
      healthPath,
      strip,
      node,
      state,
      weight,
      healedAtMs,
      health,
      load,
      counts,
    },
    servers: Math.max(1, entry.servers ?? 1),
    link: link === 1,
    recreated: entry.recreating !== undefined,
    leaving: state === "draining" || (same && known.leaving && state === "down"),
  });
}

function freeze({ serving, near, halfOpen, panic }: Omit<Snapshot, "evenFromMs">): Snapshot {
  const evenFromMs = Math.max(Number.NEGATIVE_INFINITY, ...serving.map(wholeFromMs));
  return Object.freeze({
    serving: Object.freeze(serving),
    near: Object.freeze(near),
    halfOpen: Object.freeze(halfOpen),
    ...{ panic, evenFromMs },
  });
}

/** From when on a member's share is 1. */
function wholeFromMs({ weight, healedAtMs }: Member): number {
  if (weight !== 1) return Number.POSITIVE_INFINITY;
  return healedAtMs === undefined ? Number.NEGATIVE_INFINITY : healedAtMs + SLOW_START_MS;
}
