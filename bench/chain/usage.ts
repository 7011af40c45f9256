// What processes have used: processor time and resident memory, read from /proc (Linux alone). Zero where there is no /proc.

import { readFileSync } from "node:fs";
import { familyOf } from "./children.ts";

/** Of the kernel's clock ticks: USER_HZ has been 100 on every platform that Node runs on. */
const TICK_US = 10_000;
export const MEGABYTE = 1_048_576;
const UTIME = 11;
const STIME = 12;

/** User and system time of these processes and their children, in microseconds. */
export function cpuUs(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    // The name before the last parenthesis may hold spaces.
    const fields = read(`/proc/${pid}/stat`)
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[UTIME] ?? 0) + Number(fields[STIME] ?? 0)) * TICK_US;
  });
}

/** Resident bytes of these processes and their children; pages that they share count for each. */
export function residentBytes(pids: readonly number[]): number {
  return sum(pids, (pid) => Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) * 1_024);
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.flatMap(familyOf).reduce((total, pid) => total + of(pid), 0);
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
