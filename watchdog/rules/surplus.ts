// Pure. Which replicas are too many: Compose alone knows how many there are to be, and it counts the containers that there are at one
// moment. A heal takes a replica away and makes it anew around that moment. Compose stops the highest numbers, and goes on from the
// highest where it makes more. So whoever is made anew although a lower one was taken away meanwhile is one too many; so is one that Compose
// has removed among those that it stopped; and so is one that was not there when Compose counted, a few ms before it began to act.

import type { SlotState } from "./slot-state.ts";

/** Compose acts so long after it has counted: 4 to 34 ms on a quiet machine. On a busy one, as long as a container takes to be made there. */
const COUNTED_BEFORE_MS = 20;
/** What is being made when Compose counts may not be there yet: until the engine has told of it, else so long after it says it was made. */
const MAKING_MS = 10;
/** Its calls of one `up` come within this. */
const ONE_ACT_MS = 2_000;
/** A heal waits so long after a replica of the service was told to stop, and sees whether its own goes too. */
const SETTLES_MS = 1_000;

interface Replica {
  readonly number: number;
  readonly state: SlotState;
  /** By the engine's clock: when somebody began to stop it. */
  readonly stoppedMs?: number;
}

/** @returns why each of those is one too many, by slot */
export function surplusOf(slotStates: readonly SlotState[]): ReadonlyMap<string, string> {
  const surplus = new Map<string, string>();
  for (const [service, replicas] of servicesOf(slotStates)) {
    for (const replica of replicas) {
      if (!isOpen(replica)) continue;
      const others = replicas.filter((other) => other !== replica);
      if (!isPassedOver(replica, others) && !isRemovedAmong(replica, others) && !isUncounted(replica, others)) continue;
      surplus.set(replica.state.slot.id, `docker compose has given ${service} its replicas without it`);
    }
  }
  return surplus;
}

/** Until when somebody may be about to change how many there are, by our own clock; undefined: nobody is. */
export function settlesAtMs({ slot }: SlotState, slotStates: readonly SlotState[]): number | undefined {
  const replicas = servicesOf(slotStates).get(slot.service ?? "") ?? [];
  const stops = replicas.filter(({ state, stoppedMs }) => state.slot.id !== slot.id && stoppedMs !== undefined);
  const times = stops.map(({ state }) => (state.intent?.atMs ?? 0) + SETTLES_MS);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** The replica of the same service of which a step is being carried out: what is known of the others is needed when that is over. */
export function healingBeside({ slot }: SlotState, slotStates: readonly SlotState[]): string | undefined {
  const replicas = servicesOf(slotStates).get(slot.service ?? "") ?? [];
  return replicas.find(({ state }) => state.healing && state.slot.id !== slot.id)?.state.slot.id;
}

function servicesOf(slotStates: readonly SlotState[]): ReadonlyMap<string, readonly Replica[]> {
  const services = new Map<string, Replica[]>();
  for (const state of slotStates) {
    const { id, service, faults } = state.slot;
    const [, number] = /-(\d+)$/.exec(id) ?? [];
    if (service === undefined || id === service || number === undefined || faults !== undefined) continue;
    const stoppedMs = stoppedMsOf(state);
    const replica = { number: Number(number), state, ...(stoppedMs !== undefined && { stoppedMs }) };
    services.set(service, [...(services.get(service) ?? []), replica]);
  }
  return services;
}

/** One that Compose makes anew is not taken away. */
function stoppedMsOf({ intent, found }: SlotState): number | undefined {
  if (intent === undefined || found?.recreated !== undefined) return undefined;
  const isMeant = intent.kind === "stopped" || intent.toStop;
  return isMeant ? (intent.beganMs ?? intent.engineMs) : undefined;
}

/** Is it to be made anew, or has a watchdog just done that? */
function isOpen({ state, stoppedMs }: Replica): boolean {
  const { found, healing } = state;
  if (healing || stoppedMs !== undefined) return false;
  if (found === undefined || found.life.kind === "exited") return true;
  const isMade = found.life.kind === "running" || found.life.kind === "created";
  return isMade && found.ours && found.succeeds === undefined;
}

function isGone({ state, stoppedMs }: Replica): boolean {
  return stoppedMs !== undefined && state.intent?.kind === "stopped" && state.found === undefined;
}

/** Did it stand there, untouched, when somebody began to stop others? */
function stood({ state, stoppedMs }: Replica, atMs: number): boolean {
  const { found, healing } = state;
  if (healing || stoppedMs !== undefined || found === undefined) return false;
  if (found.life.kind !== "running" && found.life.kind !== "paused") return false;
  return !found.ours || (found.madeMs ?? 0) < atMs - ONE_ACT_MS;
}

/** A lower one was taken away while this one was dead or made anew, and no higher one was left: it would have gone first. */
function isPassedOver(replica: Replica, others: readonly Replica[]): boolean {
  const lower = others.filter((other) => other.number < replica.number && isGone(other));
  return lower.some(({ number, stoppedMs = 0 }) => {
    const isLeft = others.some((other) => other.number > number && stood(other, stoppedMs));
    return !isLeft && !stood(replica, stoppedMs);
  });
}

/** Somebody has removed it, dead as it was or about to be started, when he stopped others, and no higher one was left. */
function isRemovedAmong(replica: Replica, others: readonly Replica[]): boolean {
  const at = emptyFrom(replica)?.byOthersMs;
  if (at === undefined) return false;
  const same = others.filter((other) => isGone(other) && Math.abs((other.stoppedMs ?? 0) - at) < ONE_ACT_MS);
  if (same.length === 0) return false;
  // The highest go first: whoever stands above one of them shows that these were somebody's single acts.
  const lowest = Math.min(replica.number, ...same.map(({ number }) => number));
  return !others.some((other) => other.number > lowest && stood(other, at));
}

/** Since when nothing was there, before its twin if that was made; undefined: that is not known, or somebody else has made what is there. */
function emptyFrom({ state: { found, emptied } }: Replica): { sinceMs: number; byOthersMs?: number } | undefined {
  if (emptied === undefined || (found !== undefined && !(found.ours && (found.madeMs ?? 0) >= emptied.engineMs)))
    return undefined;
  return { sinceMs: emptied.engineMs, ...(!emptied.ours && { byOthersMs: emptied.engineMs }) };
}

/** Compose took higher ones away, or made some, and this one was not there when it counted. */
function isUncounted(replica: Replica, others: readonly Replica[]): boolean {
  const { number, state } = replica;
  const empty = emptyFrom(replica);
  if (empty === undefined) return false;
  const { madeMs = Number.POSITIVE_INFINITY, shownMs = madeMs + MAKING_MS } = state.found ?? {};
  const makingMs = state.found?.shownMs === undefined ? 0 : shownMs - madeMs;
  const isThen = (actedMs: number) => {
    const countedMs = actedMs - Math.max(COUNTED_BEFORE_MS, makingMs);
    return countedMs > empty.sinceMs && countedMs <= shownMs;
  };
  if (others.some((other) => other.number > number && isGone(other) && isThen(other.stoppedMs ?? 0))) return true;
  const isNew = ({ state: { found: made } }: Replica) =>
    made?.life.kind === "running" && !made.ours && made.recreated === undefined && isThen(made.madeMs ?? 0);
  const made = others.filter(isNew);
  // A lower one is new where Compose saw neither; a higher one where it saw one between the two, else this number was given again.
  const isPassed = others.some((other) => other.number > number && !isNew(other) && stood(other, empty.sinceMs));
  return made.some((other) => other.number < number || isPassed);
}
