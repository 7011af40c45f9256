// Pure. What the guardian makes of the watchdog it watches: when it is stalled, what its end means, when to start the next.
//
//   silent for more than 5 s (20 s before its first beat)   stalled: killed, then respawned
//   ended with 0, or by our own wish to stop                the guardian leaves with the same code
//   refused to start (65 to 78), being the first            the guardian leaves with the same code: trying again mends nothing
//   refused to start, being a later one                     respawned: the first one could, so what is in its way will pass
//   any other end                                           respawned

import { type Backoff, backoffMs } from "../../services/runtime/backoff.ts";

export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "killed"; readonly signal: string; readonly number: number }
  | { readonly kind: "stalled"; readonly silentMs: number }
  /** The system had no process to give. */
  | { readonly kind: "unborn"; readonly code: string };

export type Verdict =
  | { readonly kind: "leave"; readonly code: number }
  | { readonly kind: "respawn"; readonly reason: string };

/** What the guardian knows when a watchdog ends. */
export interface Circumstances {
  /** Was it the first one? */
  readonly first: boolean;
  /** Has the guardian been told to stop? */
  readonly stopping: boolean;
}

/** Time between two beats of a watchdog, in ms. */
export const BEAT_MS = 500;
const SILENCE_MS_MAX = 5_000;
/** Loading a watchdog is one long turn of its event loop on a small machine. */
const START_MS_MAX = 20_000;
const BACKOFF: Backoff = { firstMs: 500, maxMs: 10_000 };
/** This long a life and the next respawn comes at once again. */
const LONG_LIFE_MS = 60_000;
/** See services/runtime/exit.ts. Node's own codes and those of signals lie outside. */
const REFUSALS = { first: 65, last: 78 };
const SIGKILL = 9;

/** @param beaten has it ever beaten? */
export function isStalled(silentMs: number, beaten: boolean): boolean {
  return silentMs > (beaten ? SILENCE_MS_MAX : START_MS_MAX);
}

export function judge(ending: Ending, { first, stopping }: Circumstances): Verdict {
  if (stopping) return { kind: "leave", code: codeOf(ending) };
  if (ending.kind === "exited" && (ending.code === 0 || (first && isRefusal(ending.code))))
    return { kind: "leave", code: ending.code };
  return { kind: "respawn", reason: reasonOf(ending) };
}

/** Short lives in a row, counting the one that has just ended. @param before undefined: it was the first */
export function shortLives(before: number | undefined, livedMs: number): number {
  return before === undefined || livedMs >= LONG_LIFE_MS ? 0 : before + 1;
}

/** How long to wait before the next start, in ms. @param lives short ones in a row */
export function respawnDelayMs(lives: number): number {
  return lives === 0 ? 0 : backoffMs(BACKOFF, lives, 0);
}

function isRefusal(code: number): boolean {
  return code >= REFUSALS.first && code <= REFUSALS.last;
}

/** As a shell would tell it: 128 and the signal's number for a process that a signal has ended. */
function codeOf(ending: Ending): number {
  if (ending.kind === "exited") return ending.code;
  if (ending.kind === "killed") return 128 + ending.number;
  return ending.kind === "stalled" ? 128 + SIGKILL : 1;
}

function reasonOf(ending: Ending): string {
  if (ending.kind === "exited") return `it ended with code ${ending.code}`;
  if (ending.kind === "killed") return `it was ended by ${ending.signal}`;
  if (ending.kind === "stalled") return `its event loop stalled: no beat for ${ending.silentMs / 1_000} s`;
  return `the system could not start it (${ending.code})`;
}
