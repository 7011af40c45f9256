// The seam between the watchdog and what runs its members, in our own words. Two adapters, engine-docker.ts and
// engine-process.ts, pass one contract suite (test/engine.contract.ts); no vendor's type crosses it.

import type { Role } from "../../services/runtime/roles.ts";
import type { EngineEvent } from "../rules/stop-intent.ts";

/** A place that a member fills, and that outlives it. */
export interface Slot {
  /** Such as server-4; also the id of whatever member fills it. */
  readonly id: string;
  readonly role: Role;
  readonly group?: string;
}

/** What became of the one member of a slot. */
export type Life =
  /** Made, never started; `error`: a start was tried and failed. */
  | { readonly kind: "created"; readonly error?: string }
  | { readonly kind: "running"; readonly sinceMs: number }
  | { readonly kind: "paused" }
  /** It stands aside for a successor that is not there, or no longer. */
  | { readonly kind: "previous"; readonly running: boolean }
  | { readonly kind: "exited"; readonly code: number | undefined; readonly signal?: string; readonly oom: boolean };

/** A member as the engine sees it. */
export interface Found {
  readonly slot: string;
  /** The engine's own id of this member: a container's, or one made for a process. */
  readonly instance: string;
  /** The instance that stands aside for it, until it has shown that it does its work. */
  readonly succeeds?: string;
  /** Did a watchdog make it? */
  readonly ours: boolean;
  readonly life: Life;
  /** Where other members reach it; absent until the engine knows. */
  readonly host?: string;
  /** What the member itself has said it listens on; absent until it did. */
  readonly ports?: Ports;
  /** It has said that it was told to stop. */
  readonly draining: boolean;
  /** What it was made from, where that can differ from one member to the next: an image's id. */
  readonly image?: string;
  /** What it shares a network or a volume with is gone: it cannot go on as it is. */
  readonly stranded: boolean;
  /** A second witness of a hang: the engine's own health check has failed. */
  readonly unhealthy: boolean;
  /** May its successor run beside it for a while? */
  readonly overlaps: boolean;
  /** The process's own id, where the engine runs processes. */
  readonly pid?: number;
}

export interface Ports {
  /** Absent for a client, which takes no traffic. */
  readonly port?: number;
  readonly adminPort: number;
}

/** What a successor is to have that its predecessor had not. */
export interface Wanted {
  /** Set over the predecessor's variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** So many ports of its range, from its predecessor's on, are taken: another one. Absent: none that we know of. */
  readonly portMoves?: number;
  /** Whatever fills the slot has ended. When it runs all the same, somebody has started it since: then `create` refuses. */
  readonly ended?: boolean;
}

export interface Engine {
  /** The instance that the watchdog itself is, where the engine runs watchdogs too. */
  readonly self: string | undefined;
  /** What the engine calls all of these slots together, to tell them from others of its own: a Compose project's name. */
  readonly project: string | undefined;
  /** Do members live on when their watchdog ends? Else each watchdog starts them, and that heals nothing. */
  readonly membersStay: boolean;
  /** Every slot there is, filled or not. */
  slots(): Promise<readonly Slot[]>;
  /** What is, now: at most one member a slot, and that never one that stands aside while there is another. */
  list(): Promise<readonly Found[]>;
  /** Makes a successor of whatever fills the slot, which stands aside, and returns its instance. Nothing runs yet. */
  create(slot: Slot, wanted: Wanted): Promise<string>;
  start(instance: string): Promise<void>;
  /** Asks it to stop, and ends it outright after `deadlineMs`. Resolves when it has ended; also when it already had. */
  stop(instance: string, deadlineMs: number): Promise<void>;
  /** Ends it outright and forgets it. Removing a successor before `commit` lets the one that stood aside take its place again. */
  remove(instance: string): Promise<void>;
  /** Whoever fills the slot stays: ends whatever stands aside in it, outright after `deadlineMs`, and forgets it. */
  commit(slot: string, deadlineMs: number): Promise<void>;
  /** The last lines it wrote, oldest first, at most `count`; none of one that is gone. */
  lastLines(instance: string, count: number): Promise<readonly string[]>;
  /**
   * Tells of changes as they come, until `stop`. A hint to look: events get lost. Resolves when it has told what it remembers of
   * the time before, when perhaps nobody listened.
   */
  watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void>;
  /** The watchdog ends. Processes end with it; containers stay. */
  close(): Promise<void>;
}
