// Pure. When the guardian takes its watchdog for stalled, whether it starts another after an end, and how soon.
//
//   silent for more than 5 s (20 s before its first heartbeat)   stalled: killed, then respawned
//   ended with 0, or after the guardian was told to stop         the guardian exits with the same code
//   refused to start (65 to 78), being the first                 the guardian exits with the same code: trying again mends nothing
//   refused to start, being a later one                          respawned: the first could, so the obstacle will pass
//   gave the lead back (79), or any other end                    respawned

import { type Backoff, backoffMs } from "../../services/runtime/backoff.ts";

/** How a watchdog has ended. */
export type WatchdogEnd =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string; readonly number: number }
  | { readonly kind: "stalled"; readonly silentMs: number }
  /** The system had no process to give. */
  | { readonly kind: "not-started"; readonly code: string };

/** One that is over. */
export interface WatchdogRun {
  readonly end: WatchdogEnd;
  readonly ranMs: number;
}

export type RespawnDecision =
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "respawn"; readonly reason: string };

/** What the guardian knows of itself when a watchdog ends. */
export interface GuardianState {
  /** Was it the first watchdog? */
  readonly first: boolean;
  /** Has the guardian been told to stop? */
  readonly stopping: boolean;
}

/** Time between two heartbeats of a watchdog, in ms. */
export const HEARTBEAT_MS = 500;
const SILENCE_MS_MAX = 5_000;
/** Loading a watchdog is one long turn of its event loop on a small machine. */
const START_MS_MAX = 20_000;
const BACKOFF: Backoff = { firstMs: 500, maxMs: 10_000 };
/** After a run this long the next respawn comes at once again. */
const LONG_RUN_MS = 60_000;
/** A run this long that ended with a hand-over is not held against it: in that time it has healed another watchdog. */
const LONG_LEAD_MS = 5_000;
/** See services/runtime/exit.ts. Node's own codes and those of signals lie outside. */
const REFUSALS = { first: 65, last: 78 };
const HANDED_OVER = 79;
const SIGKILL = 9;

/** @param heard has there been a heartbeat of it? */
export function isStalled(silentMs: number, heard: boolean): boolean {
  return silentMs > (heard ? SILENCE_MS_MAX : START_MS_MAX);
}

export function afterEnd(end: WatchdogEnd, { first, stopping }: GuardianState): RespawnDecision {
  if (stopping) return { kind: "exit", code: codeOf(end) };
  if (end.kind === "exited" && (end.code === 0 || (first && isRefusal(end.code))))
    return { kind: "exit", code: end.code };
  return { kind: "respawn", reason: reasonOf(end) };
}

/** Short runs in a row, counting the one that has just ended. @param before undefined: it was the first */
export function shortRuns(before: number | undefined, { end, ranMs }: WatchdogRun): number {
  if (before === undefined || ranMs >= LONG_RUN_MS) return 0;
  return hasHandedOver(end) && ranMs >= LONG_LEAD_MS ? before : before + 1;
}

/** How long to wait before the next start, in ms. @param runs short ones in a row */
export function respawnDelayMs(runs: number): number {
  return runs === 0 ? 0 : backoffMs(BACKOFF, runs, 0);
}

function hasHandedOver(end: WatchdogEnd): boolean {
  return end.kind === "exited" && end.code === HANDED_OVER;
}

function isRefusal(code: number): boolean {
  return code >= REFUSALS.first && code <= REFUSALS.last;
}

/** The code that a shell would show: 128 and the signal's number for a process that a signal has ended. */
function codeOf(end: WatchdogEnd): number {
  if (end.kind === "exited") return end.code;
  if (end.kind === "killed") return 128 + end.number;
  return end.kind === "stalled" ? 128 + SIGKILL : 1;
}

function reasonOf(end: WatchdogEnd): string {
  if (hasHandedOver(end)) return "it gave the lead back";
  if (end.kind === "exited") return `it ended with code ${end.code}`;
  if (end.kind === "killed") return `it was ended by ${end.signal}`;
  if (end.kind === "stalled") return `its event loop stalled: no heartbeat for ${end.silentMs / 1_000} s`;
  return `the system could not start it (${end.code})`;
}
