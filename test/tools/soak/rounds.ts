// `npm run soak:rounds -- [--minutes N]`: a watchdog that makes ten times its rounds, half of the time with nothing to do, and half with a
// server killed every five seconds. Exit code 0: what it holds in memory, files and series is the same at the end, and idle it says nothing.

import { readdir, readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { series } from "../http/metrics.ts";
import { type ProcessSystem, startSystem } from "../process/system.ts";
import { COLLECTS } from "./system.ts";

const MINUTE_MS = 60_000;
const MEBI = 1024 * 1024;
const SERVERS = 6;
const KILL_EVERY_MS = 5_000;
/** A tenth of the default. */
const ROUND_EVERY_MS = 50;
const HEAP_SAMPLES = 5;
const STEPS = 5;
/** By so much what stands in a column may be more at the end than after the warm-up. */
const MARGINS = { heapMiB: 6, rssMiB: 48, files: 6, guardianMiB: 24, guardianFiles: 6, series: 0 } as const;
/** A line a round would be hundreds; a busy machine may make it miss a probe, and tell of that. */
const IDLE_LINES_MAX = 60;

type Column = keyof typeof MARGINS;
type Held = Readonly<Record<Column, number>> & { readonly rounds: number; readonly lines: number };

const { values } = parseArgs({ options: { minutes: { type: "string", default: "30" } } });
const halfMs = (Number(values.minutes) * MINUTE_MS) / 2;

async function rssMiB(pid: number): Promise<number> {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1_024;
}

const filesOf = async (pid: number) => (await readdir(`/proc/${pid}/fd`)).length;

async function held(system: ProcessSystem): Promise<Held> {
  const pid = system.pid("watchdog");
  const heaps: number[] = [];
  let all = await series(system.watchdogPort);
  for (let sample = 0; sample < HEAP_SAMPLES; sample += 1) {
    process.kill(pid, "SIGUSR2");
    all = await series(system.watchdogPort);
    heaps.push(all.get("nodejs_heap_size_used_bytes") ?? Number.NaN);
  }
  return {
    heapMiB: Math.min(...heaps) / MEBI,
    rssMiB: await rssMiB(pid),
    files: await filesOf(pid),
    guardianMiB: await rssMiB(system.guardian),
    guardianFiles: await filesOf(system.guardian),
    series: all.size,
    rounds: all.get("evenkeel_round_duration_seconds_count") ?? Number.NaN,
    lines: system.said,
  };
}

function tell(what: string, now: Held): void {
  const columns = Object.entries(now).map(([name, value]) => `${name} ${Math.round(value * 10) / 10}`);
  console.log(`${what.padEnd(12)} ${columns.join("  ")}`);
}

async function killed(system: ProcessSystem, forMs: number, from = 0): Promise<number> {
  const untilMs = performance.now() + forMs;
  let count = from;
  for (; performance.now() < untilMs; count += 1) {
    const pause = delay(KILL_EVERY_MS);
    await system.healsAfter("SIGKILL", `server-${(count % SERVERS) + 1}`);
    await pause;
  }
  return count;
}

async function soak(system: ProcessSystem): Promise<string[]> {
  let kills = await killed(system, Math.min(MINUTE_MS, halfMs));
  const before = await held(system);
  tell("warmed up", before);
  const idle = [before];
  for (let step = 0; step < STEPS; step += 1) {
    await delay(halfMs / STEPS);
    idle.push(await held(system));
    tell("idle", idle.at(-1) as Held);
  }
  let after = idle.at(-1) as Held;
  const said = after.lines - before.lines;
  for (let step = 0; step < STEPS; step += 1) {
    kills = await killed(system, halfMs / STEPS, kills);
    after = await held(system);
    tell(`${kills} kills`, after);
  }
  const grown = (Object.keys(MARGINS) as Column[]).filter((name) => after[name] - before[name] > MARGINS[name]);
  const faults = grown.map((name) => `GROWN ${name}: ${before[name]} > ${after[name]}`);
  return said > IDLE_LINES_MAX ? [...faults, `SAID ${said} lines while there was nothing to do`] : faults;
}

const ends: (() => void | Promise<void>)[] = [];
try {
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(COLLECTS)}`;
  const settings = { PROBE_INTERVAL_MS: String(ROUND_EVERY_MS), NODE_OPTIONS };
  const faults = await soak(await startSystem({ after: (end) => void ends.push(end) }, settings));
  for (const fault of faults) console.log(fault);
  if (faults.length === 0) console.log("nothing has grown, and idle it said nothing");
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  for (const end of ends) await end();
}
