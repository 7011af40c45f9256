// What a process engine's children say on their stdout, and their pids from it, so that a test can do to them what somebody
// outside would.

import { readdirSync, readFileSync } from "node:fs";

/** What a child logs. `time` is ISO 8601. */
export interface ChildLine {
  readonly event: string;
  readonly role: string;
  readonly id: string;
  readonly time: string;
  readonly pid?: number;
}

/** The process that listened last under this id. */
export function pidOf(lines: readonly ChildLine[], id: string): number {
  const pid = lines.findLast((line) => line.event === "listening" && line.id === id)?.pid;
  if (pid === undefined) throw new Error(`${id} has not said that it listens`);
  return pid;
}

/** The processes that this one has started and that have not ended. Linux alone. */
export function childrenOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const lists = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, "utf8"));
  return lists.flatMap((list) => list.split(" ").filter(Boolean).map(Number)).filter(isAlive);
}

/** Is the process there? One that has ended and that nobody has waited for yet still is. */
export function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The same, but one that has ended is not, waited for or not. */
export function isAlive(pid: number): boolean {
  if (!exists(pid)) return false;
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    // No /proc here, as on macOS, whose init waits for its orphans at once; or it ended just now.
    return process.platform !== "linux";
  }
}
