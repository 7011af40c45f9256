// The members' processes, seen from the watchdog: where they run, and who is their parent, is the business of whoever keeps them
// (own-processes.ts, or by way of the guardian guarded-processes.ts).

import type { Readable } from "node:stream";

/** What a process is started with, and what is kept of it. */
export interface ProcessStart {
  /** Its name among all that are kept. */
  readonly instance: string;
  /** The id of the slot that it fills. */
  readonly slot: string;
  /** When it was started, by nowMs(). */
  readonly sinceMs: number;
  /** Node's own options, the program, and its arguments; or what a shell is to make of it, and where. */
  readonly what: { readonly args: readonly string[] } | { readonly command: string; readonly directory: string };
  readonly environment: NodeJS.ProcessEnv;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface MemberProcess {
  readonly pid: number;
  /** Paused until somebody reads. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<ProcessEnd>;
}

export interface KeptProcess extends MemberProcess {
  readonly start: ProcessStart;
}

export interface MemberProcesses {
  /** Those that an earlier watchdog has started, oldest first, whether they run or have ended. */
  kept(): Promise<readonly KeptProcess[]>;
  /** @throws Error when the system has no process to give */
  start(start: ProcessStart): Promise<MemberProcess>;
  /** Nothing happens to one that has ended. */
  signal(instance: string, signal: NodeJS.Signals): void;
  /** To be called once it has ended: nothing of it is kept. */
  forget(instance: string): void;
}
