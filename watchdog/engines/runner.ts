// The second half of the engine seam: what the watchdog does to members. Each call is one step of a heal, and the engine itself
// remembers it: another watchdog goes on from any of them.

import type { Slot } from "./discovery.ts";

/** What a successor is to have that its predecessor had not. */
export interface Wanted {
  /** Set over the predecessor's variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** So many ports of its range, from its predecessor's on, are taken: another one. Absent: none that we know of. */
  readonly portMoves?: number;
  /** Whatever fills the slot has ended. When it runs all the same, somebody has started it since: then `create` refuses. */
  readonly ended?: boolean;
}

export interface Runner {
  /** Makes a successor of whatever fills the slot, which becomes the previous one, and returns its instance. Nothing runs yet. */
  create(slot: Slot, wanted: Wanted): Promise<string>;
  start(instance: string): Promise<void>;
  /** Asks it to stop, and ends it outright after `deadlineMs`. Resolves when it has ended; also when it already had. */
  stop(instance: string, deadlineMs: number): Promise<void>;
  /** Ends it outright and forgets it. When a successor is removed before `commit`, the previous one has its place again. */
  remove(instance: string): Promise<void>;
  /** What fills the slot stays: ends the previous one, outright after `deadlineMs`, and forgets it. */
  commit(slot: string, deadlineMs: number): Promise<void>;
  /** The watchdog ends. Processes end with it; containers stay. */
  close(): Promise<void>;
}
