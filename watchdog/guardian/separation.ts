// Pure. Is the watchdog to be kept apart from its guardian, and what of the guardian's surroundings would undo that?

import type { WatchdogProgram } from "./child.ts";

export interface Separation {
  /** What the watchdog is started with instead. */
  readonly changes: Pick<WatchdogProgram, "environment" | "user">;
  readonly close: () => Promise<void>;
}

/** The image sets WATCHDOG_USER. Beside plain processes, and outside of a container, guardian and watchdog are one user. */
export function isSeparated({ ENGINE, WATCHDOG_USER }: NodeJS.ProcessEnv): boolean {
  return (ENGINE === "docker" || ENGINE === "swarm") && Boolean(WATCHDOG_USER);
}

interface SocketFile {
  readonly mode: number;
  readonly gid: number;
}

/** @returns the reason why the watchdog could open the engine's own socket all the same */
export function whyOpen({ mode, gid }: SocketFile, watchdogGid: number): string | undefined {
  if ((mode & 0o002) !== 0) return "everybody may use the Docker socket: chmod o-w it on the host";
  if ((mode & 0o020) !== 0 && gid === watchdogGid) return `the Docker socket is of the watchdog's own group ${gid}`;
  return undefined;
}
