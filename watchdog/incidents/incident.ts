// Pure. An incident: one heal of one slot from its detection to traffic, with its times, its cause and what it changed.

import type { Slot } from "../engines/discovery.ts";

export interface Incident {
  /** Grows by one with each; never used twice. */
  readonly number: number;
  readonly slot: string;
  readonly role: Slot["role"];
  /** Why the member was replaced, in the plan's words. */
  readonly cause: string;
  /** How the member before had ended; absent when it still ran, or nothing filled the slot. */
  readonly exit?: Exit;
  /** The engine's ids of the member before and of its successor. */
  readonly replaced?: string;
  readonly successor?: string;
  readonly times: Times;
  readonly outcome: "under-way" | "healed" | "failed";
  /** Why it failed, in words. */
  readonly failure?: string;
  /** What is not as it was, such as "port: 9004 > 9005". */
  readonly changes: readonly string[];
  /** The last lines that the member before had written, oldest first. */
  readonly log: readonly string[];
}

export interface Exit {
  readonly code?: number;
  readonly signal?: string;
  readonly oom: boolean;
}

/** Milliseconds since 1970, in the order in which they come; absent: not reached. */
export interface Times {
  /** The first sign of trouble: a death, or the first probe that went unanswered. */
  readonly detectedMs: number;
  readonly decidedMs: number;
  readonly createdMs?: number;
  readonly startedMs?: number;
  /** It passed its first probe. */
  readonly readyMs?: number;
  /** The registry that says it serves was published. */
  readonly inTrafficMs?: number;
  readonly failedMs?: number;
}
