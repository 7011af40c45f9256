// What is read of each process before and after: open files, heap, memory and the number of its metric series, and by how
// much each may have grown. More than that is a leak, or looks so much like one that somebody should look.

import { setTimeout as delay } from "node:timers/promises";
import { idle, series, steady } from "../http/metrics.ts";
import { openFiles, type Running, type System } from "./system.ts";

const MEBI = 1024 * 1024;
const SETTLE_MS_MAX = 30_000;
const STEADY_MS = 1_000;
const READ_EVERY_MS = 50;
const HEAP_SAMPLES = 5;

export interface Reading {
  readonly files: number;
  readonly heapMiB: number;
  readonly rssMiB: number;
  readonly series: number;
}

/** The most by which a reading may grow between the warm-up and the end, however long that is. */
export const margins: Reading = { files: 4, heapMiB: 6, rssMiB: 64, series: 12 };

export type Readings = ReadonlyMap<string, Reading>;

/** Until nothing is in flight, every idle connection is let go of, and the number of open files stays the same. */
export async function settle(system: System): Promise<void> {
  await Promise.all(system.tiers.map(({ adminPort }) => idle(adminPort, SETTLE_MS_MAX)));
  await system.renew();
  let files = 0;
  let reading = true;
  const read = async () => {
    for (; reading; await delay(READ_EVERY_MS)) files = await filesOf(system);
  };
  const reader = read();
  await steady("the number of open files", () => files, STEADY_MS, SETTLE_MS_MAX);
  reading = false;
  await reader;
}

export async function read(system: System): Promise<Readings> {
  const readings = new Map<string, Reading>();
  for (const member of system.members) readings.set(member.id, await readOne(member));
  return readings;
}

async function readOne(member: Running): Promise<Reading> {
  const heaps: number[] = [];
  let all = await series(member.adminPort);
  for (let sample = 0; sample < HEAP_SAMPLES; sample += 1) {
    member.child.kill("SIGUSR2");
    all = await series(member.adminPort);
    heaps.push(all.get("nodejs_heap_size_used_bytes") ?? Number.NaN);
  }
  return {
    files: await openFiles(member),
    heapMiB: Math.min(...heaps) / MEBI,
    rssMiB: (all.get("process_resident_memory_bytes") ?? Number.NaN) / MEBI,
    series: [...all.keys()].filter((name) => name.startsWith("evenkeel_")).length,
  };
}

async function filesOf({ members }: System): Promise<number> {
  const counts = await Promise.all(members.map(openFiles));
  return counts.reduce((sum, count) => sum + count, 0);
}

const columns = ["files", "heapMiB", "rssMiB", "series"] as const;

/** One line for each process, each reading as before > after; and what has grown by more than its margin. */
export function compare(before: Readings, after: Readings): { readonly table: string[]; readonly leaks: string[] } {
  const leaks: string[] = [];
  const table = [row("process", [...columns])];
  for (const [id, was] of before) {
    const is = after.get(id) as Reading;
    table.push(
      row(
        id,
        columns.map((column) => `${round(was[column])} > ${round(is[column])}`),
      ),
    );
    for (const column of columns) {
      if (!(is[column] - was[column] <= margins[column])) leaks.push(`${id}: ${column} ${was[column]} > ${is[column]}`);
    }
  }
  table.push(
    row(
      "margin",
      columns.map((column) => `+${margins[column]}`),
    ),
  );
  return { table, leaks };
}

function row(id: string, cells: readonly string[]): string {
  return `${id.padEnd(10)}${cells.map((cell) => cell.padStart(18)).join("")}`;
}

const round = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
