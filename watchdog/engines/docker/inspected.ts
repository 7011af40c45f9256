// Pure. What an inspected container says in our words: its slot, its life, where it is, whether it stands aside.

import type { ContainerInspectInfo } from "dockerode";
import { isRole } from "../../../services/runtime/roles.ts";
import type { Life, Slot } from "../engine.ts";

/** The end of the name of a container that stands aside while its successor is tried. */
export const PREVIOUS_SUFFIX = "-aside";

/** Docker's own, where a health check names none. */
const DEFAULT_RETRIES = 3;
const DEFAULT_INTERVAL = 30_000_000_000;

/** @returns undefined for a container that has no role of ours */
export function slotOf({ Config }: ContainerInspectInfo): Slot | undefined {
  const environment = environmentOf(Config.Env);
  const role = environment.get("ROLE");
  if (!isRole(role)) return undefined;
  const service = Config.Labels["com.docker.compose.service"];
  const number = Config.Labels["com.docker.compose.container-number"] ?? "1";
  if (service === undefined) return undefined;
  const id = number === "1" ? service : `${service}-${number}`;
  const group = environment.get("GROUP");
  return group === undefined ? { id, role } : { id, role, group };
}

function environmentOf(entries: readonly string[] | null | undefined): ReadonlyMap<string, string> {
  return new Map(entries?.map((entry) => entry.split(/=(.*)/s, 2) as [string, string]));
}

/** Did a watchdog make it? It gives its own the registry of the moment, which Compose never does. */
export function isOurs({ Config }: ContainerInspectInfo): boolean {
  return environmentOf(Config.Env).get("REGISTRY")?.startsWith("{") ?? false;
}

export function lifeOf({ State }: ContainerInspectInfo): Life {
  if (State.Paused) return { kind: "paused" };
  if (State.Running || State.Restarting) return { kind: "running", sinceMs: Date.parse(State.StartedAt) };
  if (State.Status === "created") return State.Error ? { kind: "created", error: State.Error } : { kind: "created" };
  return { kind: "exited", code: State.ExitCode, oom: State.OOMKilled };
}

/** It has ended and is on its way out, by somebody's `docker rm`. */
export function isBeingRemoved({ State }: ContainerInspectInfo): boolean {
  return State.Dead || State.Status === "removing" || State.Status === "dead";
}

/** After so many intervals without a result, a health check no longer checks: its last word is old (moby#41871). */
const STALE_INTERVALS = 3;
const NANOSECONDS_IN_MS = 1_000_000;

/**
 * Has the container's own health check failed as often as it may? The status alone says "unhealthy" also of a container that
 * was paused, stopped or restarted a moment ago, with no check failed (moby daemon/container/health.go).
 */
export function isUnhealthy({ State, Config }: ContainerInspectInfo, nowMs: number): boolean {
  if (!State.Running || State.Paused || State.Restarting || State.Health?.Status !== "unhealthy") return false;
  const { Retries, Interval, Timeout } = Config.Healthcheck ?? {};
  const checkedMs = Date.parse(State.Health.Log?.at(-1)?.End ?? "");
  const periodMs = ((Interval || DEFAULT_INTERVAL) + (Timeout || DEFAULT_INTERVAL)) / NANOSECONDS_IN_MS;
  if (nowMs - checkedMs > STALE_INTERVALS * periodMs) return false;
  return State.Health.FailingStreak >= (Retries || DEFAULT_RETRIES);
}

/** The running of a container from one start to its end: who it is, and since when. */
export const runOf = (inspected: ContainerInspectInfo) => `${inspected.Id}@${inspected.State.StartedAt}`;

/**
 * When the container's run before the present one ended, in milliseconds of the engine's clock; 0 in its first. The present run's
 * log begins here, not at StartedAt: the engine takes that time when the start is over, and a quick member has spoken by then.
 */
export function runBeforeEndedMs({ State }: ContainerInspectInfo): number {
  // The engine's word for never is a time in the year 1.
  return Math.max(0, Date.parse(State.FinishedAt));
}

export const isPrevious = (inspected: ContainerInspectInfo) => inspected.Name.endsWith(PREVIOUS_SUFFIX);
export const nameOf = ({ Name }: ContainerInspectInfo) => Name.replace(/^\//, "");
/** Of a `docker compose up` that was cut short: Compose's own way of putting aside (compose pkg/compose/convergence.go). */
const isLeftover = (inspected: ContainerInspectInfo) => /^[0-9a-f]{12}_/.test(nameOf(inspected));

interface InSlot {
  readonly slot: Slot;
  readonly inspected: ContainerInspectInfo;
}

/** Where an interrupted `docker compose up` has left two for one slot: the one with the proper name. */
export function onePerSlot<Listed extends InSlot>(listed: readonly Listed[]): Listed[] {
  const bySlot = new Map<string, Listed>();
  for (const one of listed) {
    const other = bySlot.get(one.slot.id);
    if (other === undefined || isLeftover(other.inspected)) bySlot.set(one.slot.id, one);
  }
  return [...bySlot.values()];
}

/** The name that Compose gave it, or that its predecessor had, whether or not it stands aside now. */
export const properName = (inspected: ContainerInspectInfo | { readonly Name: string }) =>
  inspected.Name.replace(/^\//, "").replace(new RegExp(`${PREVIOUS_SUFFIX}$`), "");
export const bySlot = (one: Slot, other: Slot) => one.id.localeCompare(other.id, "en", { numeric: true });
