// Pure. An inspected container in our words: its life, its health, its present run.

import type { ContainerInspectInfo } from "dockerode";
import type { Life } from "../../discovery.ts";
import { composeLabel } from "../compose-labels.ts";

/** Docker's own, where a health check names none. */
const DEFAULT_RETRIES = 3;
const DEFAULT_INTERVAL = 30_000_000_000;
/** Docker's own, where a container names none. */
const DEFAULT_STOP_TIMEOUT_S = 10;
/** A day: whoever takes longer to stop is taken for one that was asked something else. */
const STOP_TIMEOUT_S_MAX = 86_400;

export function environmentOf(entries: readonly string[] | null | undefined): ReadonlyMap<string, string> {
  return new Map(entries?.map((entry) => entry.split(/=(.*)/s, 2) as [string, string]));
}

/** Was it started with a nonce? */
export function hasNonce(environment: readonly string[] | null | undefined): boolean {
  return Boolean(environmentOf(environment).get("REPORT_NONCE"));
}

/** Did a watchdog make it? It gives programs of ours the registry of the moment, which Compose never does. */
export function isOurs({ Config }: ContainerInspectInfo): boolean {
  return environmentOf(Config.Env).get("REGISTRY")?.startsWith("{") ?? false;
}

/** Compose makes a container anew when its configuration changes, or its image. */
export function makingOf({
  Config,
  Image,
}: Pick<ContainerInspectInfo, "Image"> & {
  readonly Config: { readonly Labels?: Readonly<Record<string, string>> };
}): string {
  return `${Config.Labels?.[composeLabel.configHash] ?? ""} ${Image}`;
}

export function lifeOf({ State, Created }: ContainerInspectInfo): Life {
  if (State.Paused) return { kind: "paused" };
  if (State.Running || State.Restarting) return { kind: "running", sinceMs: Date.parse(State.StartedAt) };
  if (State.Status === "created")
    return { kind: "created", madeMs: Date.parse(Created), ...(State.Error && { error: State.Error }) };
  return { kind: "exited", code: State.ExitCode, oom: State.OOMKilled };
}

/** How long `docker stop` waits before it kills; -1 is for ever. */
export function stopTimeoutMsOf({ Config }: ContainerInspectInfo): number {
  const { StopTimeout = DEFAULT_STOP_TIMEOUT_S } = Config as { readonly StopTimeout?: number };
  return (StopTimeout < 0 ? STOP_TIMEOUT_S_MAX : Math.min(StopTimeout, STOP_TIMEOUT_S_MAX)) * 1_000;
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
 * @param engineMs now, by the engine's clock
 */
export function isUnhealthy(inspected: ContainerInspectInfo, engineMs: number): boolean {
  const { State, Config } = inspected;
  if (!State.Running || State.Paused || State.Restarting || State.Health?.Status !== "unhealthy") return false;
  const checkedMs = Date.parse(State.Health.Log?.at(-1)?.End ?? "");
  if (engineMs - checkedMs > STALE_INTERVALS * checkPeriodMs(inspected)) return false;
  return State.Health.FailingStreak >= (Config.Healthcheck?.Retries || DEFAULT_RETRIES);
}

/** How long before StartedAt a quick member may have spoken. */
const QUICKEST_WORD_MS = 1_000;

/** Does the container's own health check pass? Where it has none, all that the engine can say is that it runs. */
export function isHealthy({ State }: ContainerInspectInfo): boolean {
  return State.Running && !State.Paused && !State.Restarting && (State.Health?.Status ?? "healthy") === "healthy";
}

/**
 * Has it a health check of its own, and does that not pass? Where the engine has said "starting" for longer than any start takes, it no
 * longer checks (moby#41871).
 * @param engineMs now, by the engine's clock
 */
export function awaitsOwnCheck(inspected: ContainerInspectInfo, engineMs: number): boolean {
  const { State, Config } = inspected;
  if (State.Health === undefined || State.Health.Status === "none" || isHealthy(inspected)) return false;
  const tries = (Config.Healthcheck?.Retries || DEFAULT_RETRIES) + STALE_INTERVALS;
  const longestMs = startPeriodMsOf(inspected) + tries * checkPeriodMs(inspected);
  return State.Health.Status !== "starting" || engineMs - Date.parse(State.StartedAt) < longestMs;
}

/** From one result of its health check to the next, at most. */
function checkPeriodMs({ Config }: ContainerInspectInfo): number {
  const { Interval, Timeout } = Config.Healthcheck ?? {};
  return ((Interval || DEFAULT_INTERVAL) + (Timeout || DEFAULT_INTERVAL)) / NANOSECONDS_IN_MS;
}

/** How long its own health check lets it start, in ms. */
export function startPeriodMsOf({ Config }: ContainerInspectInfo): number {
  return (Config.Healthcheck?.StartPeriod ?? 0) / NANOSECONDS_IN_MS;
}

/** Has it a health check of its own that passes? */
export function passesOwnCheck(inspected: ContainerInspectInfo): boolean {
  return inspected.State.Health !== undefined && isHealthy(inspected);
}

/** The running of a container from one start to its end: its id, and since when. */
export const runOf = (inspected: ContainerInspectInfo) => `${inspected.Id}@${inspected.State.StartedAt}`;

/**
 * When the container's run before the present one ended, in milliseconds of the engine's clock; 0 in its first. The present run's
 * log begins here, not at StartedAt: the engine takes that time when the start is over, and a quick member has spoken by then.
 */
export function runBeforeEndedMs({ State }: ContainerInspectInfo): number {
  const [startedMs, finishedMs] = [Date.parse(State.StartedAt), Date.parse(State.FinishedAt)];
  // An end behind the start is one from before the clock was set back.
  const endedMs = finishedMs > startedMs ? startedMs - QUICKEST_WORD_MS : finishedMs;
  // The engine's word for never is a time in the year 1.
  return Math.max(0, endedMs);
}
