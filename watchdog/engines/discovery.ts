// The first half of the engine seam: the slots, the members that fill them, their events and their last lines, all in our own
// words; no vendor's type crosses the seam. A discovery changes nothing in the engine. An engine that restarts its members by
// itself needs no other half.

import type { Slot } from "../desired/slot.ts";

/** The state of the one member of a slot, by the engine. */
export type Life =
  /** Made, never started; `error`: a start was tried and failed; `madeMs`: when, by the engine's clock. */
  | { readonly kind: "created"; readonly error?: string; readonly madeMs?: number }
  | { readonly kind: "running"; readonly sinceMs: number }
  | { readonly kind: "paused" }
  /** It was replaced, and its successor is not there, or no longer. */
  | { readonly kind: "previous"; readonly running: boolean }
  | { readonly kind: "exited"; readonly code: number | undefined; readonly signal?: string; readonly oom: boolean };

/** A member as the engine sees it. */
export interface Found {
  readonly slot: string;
  /** The engine's own id of this member: a container's, or one made for a process. */
  readonly instance: string;
  /** The instance before it, which is kept until this one has shown that it does its work. */
  readonly succeeds?: string;
  /** Did a watchdog make it? */
  readonly ours: boolean;
  /** When it was made, by the engine's clock, where that is told. */
  readonly madeMs?: number;
  /** From when on everybody was shown it, by the same clock, where that was heard: a busy engine takes a while to make one. */
  readonly shownMs?: number;
  readonly life: Life;
  /** The address by which the tier in front reaches it; absent until the engine knows. */
  readonly host?: string;
  /** The watchdog's own way to it, where that is another. */
  readonly probeHost?: string;
  /** The watchdog cannot ask it, by its network or for want of a port: its own health check alone says how it is. */
  readonly outOfSight?: true;
  /** Its own health check does not pass: it gets no traffic before that has passed for the first time. */
  readonly gated?: true;
  /** How long it may take from its start until it answers, where that is its own affair. */
  readonly startMs?: number;
  /** Others of its service are there too, and Compose counts them: a successor comes after it, not beside it. */
  readonly replicated?: true;
  /** Somebody else, such as Compose, puts another one in its place: `under way`, this one is about to go; `done`, it is that one. */
  readonly recreated?: "under way" | "done";
  /** That one passes, or there is none. */
  readonly healthy?: true;
  /** The ports that the member listens on, by its own word or by the engine's; absent while nobody knows. */
  readonly ports?: Ports;
  /** How a member without an admin port is probed; `path` absent: by a connection, `timeoutMs` absent: as all are. */
  readonly check?: { readonly path?: string; readonly timeoutMs?: number };
  /** The variable by which it was told its port, where we chose that. */
  readonly portTold?: string;
  readonly unheard: Unheard;
  /** How long the engine gives it to stop before it ends it outright, where the engine has a word on that. */
  readonly stopTimeoutMs?: number;
  /** It has said that it was told to stop. */
  readonly draining: boolean;
  /** The id of the image that it was made from, where there are images. */
  readonly image?: string;
  /** Tells what it was made from, configuration and image: replicas of one making are alike. */
  readonly making?: string;
  /** The member whose network or volume it shares is gone: it cannot go on as it is. */
  readonly stranded: boolean;
  /** It has a health check of its own, and that passes. */
  readonly passesOwnCheck: boolean;
  /** Why it is not known where it listens, or it cannot be reached, and what to do about it, as far as the engine can tell. */
  readonly obstacle?: string;
  /** The engine's own health check has failed, which says of a hang what our probes say. */
  readonly unhealthy: boolean;
  /** May its successor run beside it for a while? */
  readonly overlaps: boolean;
  /** What it has, and no other replica could have beside it; `writes`: could, but both would write there. */
  readonly alone?: { readonly what: string; readonly writes?: true };
  /** The process's own id, where the engine runs processes. */
  readonly pid?: number;
  /** The machine that it is on, where there are several; `down`: by the engine, nobody hears of that machine. */
  readonly node?: { readonly name: string; readonly down?: true };
}

export interface Ports {
  /** Absent for a client, which takes no traffic. */
  readonly port?: number;
  /** Absent for a member that is not ours. */
  readonly adminPort?: number;
  /** The version of the link that is spoken on `port`; absent: none is. */
  readonly link?: 1;
}

/** What a member wrote in its present run and the watchdog did not take in, or not believe. */
export interface Unheard {
  /** Of lines that were too long. */
  readonly bytes: number;
  /** Reports past those of their second. */
  readonly reports: number;
  /** Why its word about where it listens was not believed, while none has been. */
  readonly refused?: string;
}

/** What a service's members would be made from, were they of another version. */
export type OtherVersion =
  | { readonly kind: "known"; readonly making: string }
  | { readonly kind: "none"; readonly reason: string };

interface MemberEvent {
  readonly instance: string;
  /** When it was, by the engine's clock. */
  readonly engineMs: number;
  /** How long ago it was, where it is told late: nobody listened. */
  readonly agoMs?: number;
}

export type EngineEvent =
  | ({ readonly kind: "signalled"; readonly signal: string } & MemberEvent)
  | ({ readonly kind: "created" | "stopped" | "died" | "started" } & MemberEvent)
  /** It is gone; `slot`: it was of that one, if of any. */
  | ({ readonly kind: "removed"; readonly slot: string } & MemberEvent)
  /** The member of slot `by` says that it cannot reach that of `slot`: names as it gives them, perhaps of no slot there is. */
  | { readonly kind: "suspected"; readonly slot: string; readonly by: string }
  /** Something else changed: look. */
  | { readonly kind: "changed" };

/** An update that the engine carries out by itself. */
export interface ObservedRoll {
  readonly service: string;
  readonly phase: "rolling" | "rolling-back" | "done" | "rolled-back" | "paused";
  readonly order: "start-first" | "stop-first";
  /** So many members at a time. */
  readonly parallel: number;
  /** The engine's word on it. */
  readonly reason?: string;
  readonly slots: readonly { readonly slot: string; readonly rolled: boolean }[];
}

export interface Discovery {
  /** The instance that the watchdog itself is, where the engine runs watchdogs too. */
  readonly self: string | undefined;
  /** The engine's name for all of these slots together, such as a Compose project's; it tells them from others of its own. */
  readonly project: string | undefined;
  /** Each slot ends with its member, and none is called like it again: nothing is remembered of it then. */
  readonly slotsPass?: true;
  /** Do members live on when their watchdog ends? Else each watchdog starts them, and that heals nothing. */
  readonly membersStay: boolean;
  /** Every slot there is, filled or not. */
  slots(): Promise<readonly Slot[]>;
  /** The members there are now, at most one a slot; a previous one only where it is alone. */
  list(): Promise<readonly Found[]>;
  /** The updates that the engine carries out, or has, as of the last look; absent: it has none of its own. */
  readonly rolls?: readonly ObservedRoll[];
  /** The version before that of these slots' members, which are of one service; it has to have worked once. */
  formerVersion(service: string, makings: readonly string[]): Promise<OtherVersion>;
  /** The version that this slot's member would be of, were it made from what its image's name means now. */
  imageVersion(slot: string): Promise<OtherVersion>;
  /** Is it this watchdog that has removed the instance, as far as that is known by now? */
  removedByUs(instance: string): boolean;
  /** The last lines that the instance wrote, oldest first, at most `count`; none of one that is gone. */
  lastLines(instance: string, count: number): Promise<readonly string[]>;
  /**
   * Tells of changes as they come, until `stop`. A hint to look: events get lost. Resolves when it has told what it remembers of
   * the time before, when perhaps nobody listened.
   */
  watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void>;
}
