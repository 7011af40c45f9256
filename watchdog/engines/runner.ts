// The second half of the engine seam: the changes that the watchdog makes. Each call is one step of a heal, and the engine itself
// remembers it, so that another watchdog goes on from any of them.

import type { Slot } from "../desired/slot.ts";

/** Added to a member's own drain limit where it is stopped, so that the member cuts, and says so. */
export const DRAIN_MARGIN_MS = 1_000;

/** What a runner says that changes nothing any more, as it may not be the leader's. */
export const NOT_LEADING = "another watchdog may lead by now";

/** Another version of a service's members than runs. */
export interface VersionWanted {
  /** `former`: the one before, which was kept. `image`: like `from`, of what its image's name means now. */
  readonly kind: "former" | "image";
  /** As Found.making. */
  readonly making: string;
}

/** The ways in which a successor is to differ from its predecessor. */
export interface Wanted {
  /** Set over the predecessor's variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** So many ports of its range, from its predecessor's on, are taken: another one. Absent: none that we know of. */
  readonly portMoves?: number;
  /**
   * The instance that fills the slot, as the caller has seen it; undefined: none does. When another one does by now, somebody has
   * put it there: then `create` refuses. Absent: any will do.
   */
  readonly replaces?: { readonly instance: string | undefined };
  /** The slot whose member it is made like, but for its number; absent: like what fills the slot. */
  readonly from?: string;
  /** Not like `from` itself, but like another version of its service. */
  readonly version?: VersionWanted;
  /** Told when the successor lacks what the one before had, in words for people. */
  readonly onLost?: (what: string) => void;
  /** Whatever fills the slot has ended. When it runs all the same, somebody has started it since: then `create` refuses. */
  readonly ended?: boolean;
}

export interface Runner {
  /** Makes a successor of whatever fills the slot, which becomes the previous one, and returns its instance. Nothing runs yet. */
  create(slot: Slot, wanted: Wanted): Promise<string>;
  start(instance: string): Promise<void>;
  /** Has it what no successor would have? Then it is better started again than replaced. */
  isUnique(instance: string): Promise<boolean>;
  /** Asks it to stop, and ends it outright after `deadlineMs`. Resolves when it has ended; also when it already had. */
  stop(instance: string, deadlineMs: number): Promise<void>;
  /** Ends it outright and forgets it. When a successor is removed before `commit`, the previous one has its place again. */
  remove(instance: string): Promise<void>;
  /** Keeps the member that fills the slot: ends the previous one, outright after `deadlineMs`, and forgets it. */
  commit(slot: string, deadlineMs: number): Promise<void>;
  /**
   * What fills the slot, of this making, has shown that it does its work: that is its service's version from now on, and the one
   * kept before is the one to go back to. Whatever it is made from by now is left alone.
   */
  keepVersion(slot: string, making: string): Promise<void>;
  /** The slot is nobody's any more. */
  forget(slot: string): Promise<void>;
  /** The watchdog ends. Processes end with it; containers stay. */
  close(): Promise<void>;
}
