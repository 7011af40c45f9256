// Pure. Which member gets the next attempt. Who may be chosen at all is decided in members.ts, and only there; here it is
// one of those that has not failed this request yet, by policy and share.

import type { policies } from "../../runtime/policies.ts";
import { type Member, SLOW_START_MS, type Snapshot } from "./members.ts";

export type Policy = (typeof policies)[number];

/** What a member has to do, and may have. */
export interface Capacity {
  /** May the member take one more request? */
  hasCapacity(member: Member): boolean;
  /** Exchanges of a member that are not over. */
  load(member: Member): number;
}

export interface Choice {
  readonly policy: Policy;
  /** Grows by one with each request; what round robin counts by. */
  readonly turn: number;
  /** Returns a number from [0, 1). */
  readonly random: () => number;
  readonly nowMs: number;
  /** Ids of the members that have already failed this request. */
  readonly tried: readonly string[];
  readonly capacity: Capacity;
  /** The member that this client's earlier requests went to. */
  readonly sticky: string | undefined;
  /** Could the request be made again elsewhere, should the member turn out to be broken? */
  readonly repeatable: boolean;
}

/** For so long a half-open member waits for a request that can be repeated; if none comes, any has to do. */
export const REPEATABLE_AWAITED_MS = 3_000;
/** Where a healed member's share begins to grow. */
const SLOW_START_SHARE = 0.1;
/** The golden ratio's fraction: its multiples spread most evenly, so that weighted turns alternate instead of clumping. */
const GOLDEN = 0.618_033_988_749_895;

/** @returns undefined when nobody is left */
export function choose(snapshot: Snapshot, choice: Choice): Member | undefined {
  return chooseAtOnce(snapshot, choice) ?? chooseAmong(snapshot, choice);
}

/** The usual case, in which one member is looked at instead of each: with hundreds of them that is most of what a choice costs. */
function chooseAtOnce({ near, halfOpen, evenFromMs }: Snapshot, choice: Choice): Member | undefined {
  const { policy, turn, random, nowMs, tried, sticky, capacity } = choice;
  const isUsual = tried.length === 0 && halfOpen.length === 0 && sticky === undefined && nowMs >= evenFromMs;
  if (!isUsual || policy === "least-requests") return undefined;
  const member = near[policy === "random" ? Math.floor(random() * near.length) : turn % near.length];
  return member !== undefined && capacity.hasCapacity(member) ? member : undefined;
}

function chooseAmong({ serving, near, halfOpen }: Snapshot, choice: Choice): Member | undefined {
  const { sticky, policy } = choice;
  const all = candidates(serving, choice);
  const first = (sticky === undefined ? undefined : all.find(({ id }) => id === sticky)) ?? toShow(halfOpen, choice);
  if (first !== undefined) return first;
  const nearest = near === serving ? all : candidates(near, choice);
  const left = nearest.length > 0 ? nearest : all;
  switch (policy) {
    case "round-robin":
      return isEven(left, choice.nowMs)
        ? left[choice.turn % left.length]
        : byShare(left, (choice.turn * GOLDEN) % 1, choice);
    case "random":
      return byShare(left, choice.random(), choice);
    case "least-requests":
      return lessLoaded(left, choice);
    default:
      return policy satisfies never;
  }
}

/** Functions are made only where there is somebody to ask about. */
function toShow(halfOpen: readonly Member[], choice: Choice): Member | undefined {
  return halfOpen.length === 0 ? undefined : halfOpen.find((member) => mayShowItself(member, choice));
}

/**
 * An ejected member that answers probes again gets the first request to come: one request decides. It should be none that is lost with
 * a broken member, and is no second attempt.
 */
function mayShowItself(member: Member, { tried, repeatable, nowMs, capacity }: Choice): boolean {
  const { health } = member;
  if (health.kind !== "half-open" || tried.length > 0 || !capacity.hasCapacity(member)) return false;
  return repeatable || nowMs - health.sinceMs >= REPEATABLE_AWAITED_MS;
}

/** Who has not failed this request and may take one more. The usual case, all of them, makes no new list. */
function candidates(serving: readonly Member[], { tried, capacity }: Choice): readonly Member[] {
  if (tried.length === 0 && allHaveCapacity(serving, capacity)) return serving;
  return serving.filter((member) => !tried.includes(member.id) && capacity.hasCapacity(member));
}

function allHaveCapacity(serving: readonly Member[], capacity: Capacity): boolean {
  for (let index = 0; index < serving.length; index += 1) {
    if (!capacity.hasCapacity(serving[index] as Member)) return false;
  }
  return true;
}

/** A member's part of the traffic, relative to the others'. */
export function shareOf({ weight, healedAtMs }: Member, nowMs: number): number {
  if (healedAtMs === undefined) return weight;
  const grown = Math.max(0, nowMs - healedAtMs) / SLOW_START_MS;
  return weight * Math.min(1, SLOW_START_SHARE + (1 - SLOW_START_SHARE) * grown);
}

/** The power of two choices: of two at random, the one with less to do for its share (Mitzenmacher 2001). */
function lessLoaded(left: readonly Member[], choice: Choice): Member | undefined {
  const one = byShare(left, choice.random(), choice);
  const other = byShare(
    left.filter((member) => member !== one),
    choice.random(),
    choice,
  );
  if (one === undefined || other === undefined) return one;
  // Idle they are even for their shares, of which the first pick was made.
  if (choice.capacity.load(one) === 0 && choice.capacity.load(other) === 0) return one;
  const loadOf = (member: Member) => (choice.capacity.load(member) + 1) / shareOf(member, choice.nowMs);
  return loadOf(other) < loadOf(one) ? other : one;
}

/** @param at from [0, 1): where along the shares laid end to end */
function byShare(left: readonly Member[], at: number, { nowMs }: Choice): Member | undefined {
  const sum = isEven(left, nowMs) ? 0 : left.reduce((all, member) => all + shareOf(member, nowMs), 0);
  // None has a share that another one has not.
  if (sum === 0) return left[Math.floor(at * left.length)];
  let rest = at * sum;
  for (const member of left) {
    rest -= shareOf(member, nowMs);
    if (rest < 0) return member;
  }
  return left.at(-1);
}

function isEven(members: readonly Member[], nowMs: number): boolean {
  for (let index = 0; index < members.length; index += 1) {
    const { weight, healedAtMs } = members[index] as Member;
    if (weight !== 1 || (healedAtMs !== undefined && nowMs - healedAtMs < SLOW_START_MS)) return false;
  }
  return true;
}
