// How long a member is away: servers killed, and hung, one after another on a real Docker Engine, from the act to the registry
// that says the successor serves. Beside it, in the same run and on the same machine, the same container made and started by
// hand. With --against-raw also with the watchdog on the engine's own socket, in turns. Usage:
// npm run bench:recovery -- [--kills 100] [--hangs 20] [--against-raw]

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import Docker from "dockerode";
import { type ComposeSystem, emptyProject } from "../test/tools/compose/system.ts";
import { ensureImage, IMAGE } from "../test/tools/docker/docker.ts";
import { eventually } from "../test/tools/eventually.ts";
import { percentile } from "./chain/load/result.ts";

const SERVERS = 6;
/** All containers of the project: beside the servers two proxies, a balancer, a client, two watchdogs. */
const MEMBERS = SERVERS + 6;
/** So that each server has been in traffic for a while when its turn comes again: one that dies every few seconds waits (restart.ts). */
const KILL_EVERY_MS = 2_500;
/** Not by the command line, whose own start would be measured too. */
const engine = new Docker();

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "100" },
    hangs: { type: "string", default: "20" },
    "against-raw": { type: "boolean" },
  },
});

function say(what: string, times: number[]): void {
  times.sort((one, other) => one - other);
  const [p50, p99, max] = [percentile(times, 0.5), percentile(times, 0.99), times.at(-1) as number].map(Math.round);
  console.log(
    `${what.padEnd(28)} ${String(times.length).padStart(4)} times   p50 ${p50} ms   p99 ${p99} ms   max ${max} ms`,
  );
}

async function recovery(system: ComposeSystem, slot: string, act: () => Promise<unknown>): Promise<number> {
  const before = (await system.rows()).get(slot)?.generation ?? 0;
  const begunMs = performance.now();
  await act();
  const served = async () => {
    const row = (await system.rows()).get(slot);
    return row?.state === "serving" && (row.generation ?? 0) > before;
  };
  await eventually(`${slot} serves again`, served, 60_000);
  return performance.now() - begunMs;
}

/** A container of the same image under the same restrictions, made, started and heard of by the same API. */
async function byHand(): Promise<number> {
  const HostConfig = {
    ...{ Init: true, ReadonlyRootfs: true, Tmpfs: { "/tmp": "" }, CapDrop: ["ALL"] },
    SecurityOpt: ["no-new-privileges:true"],
  };
  const begunMs = performance.now();
  const made = await engine.createContainer({ Image: IMAGE, Env: ["ROLE=server", "ID=server-1"], HostConfig });
  await made.start();
  const saysSo = async () => (await made.logs({ follow: false, stdout: true })).includes("listening");
  await eventually("it listens", saysSo, 30_000);
  const tookMs = performance.now() - begunMs;
  await made.remove({ force: true });
  return tookMs;
}

async function main(): Promise<void> {
  const system = await emptyProject({ after: () => {} });
  try {
    await (values["against-raw"] ? compare(system) : measure(system));
  } finally {
    await system.clear();
  }
}

/** So many kills with one of both, then as many with the other. */
const TURN = 12;

/** The watchdog as the image starts it, behind its guardian's filter, and as root on the engine's own socket. */
async function compare(filtered: ComposeSystem): Promise<void> {
  const file = join(await mkdtemp(join(tmpdir(), "evenkeel-bench-")), "raw.json");
  await writeFile(file, JSON.stringify({ services: { watchdog: { environment: { WATCHDOG_USER: "" } } } }));
  const raw = filtered.with([file]);
  const times = { filtered: [] as number[], raw: [] as number[] };
  await filtered.must("up", "--build", "--wait");
  for (let done = 0; done < Number(values.kills); done += TURN) {
    for (const [name, system] of Object.entries({ filtered, raw }) as [keyof typeof times, ComposeSystem][]) {
      await system.must("up", "--detach", "--wait", "watchdog");
      await system.serves();
      for (let n = 0; n < TURN; n += 1) times[name].push(await killed(system, n));
    }
  }
  await rm(dirname(file), { recursive: true });
  say("killed, behind the filter", times.filtered);
  say("killed, on the raw socket", times.raw);
  const [behind, on] = [percentile(times.filtered, 0.5), percentile(times.raw, 0.5)];
  console.log(`behind the filter against raw: ${(behind / on).toFixed(2)}`);
}

/** The n-th of the servers, in turns. @returns how long it was away, in ms */
async function killed(system: ComposeSystem, n: number): Promise<number> {
  const slot = `server-${(n % SERVERS) + 1}`;
  const { Id } = await system.container(slot);
  const pause = delay(KILL_EVERY_MS);
  const ms = await recovery(system, slot, () => engine.getContainer(Id).kill());
  await system.settled(MEMBERS);
  await pause;
  return ms;
}

async function measure(system: ComposeSystem): Promise<void> {
  await ensureImage();
  await system.must("up", "--build", "--wait");
  const [hand, away, hung]: [number[], number[], number[]] = [[], [], []];
  for (let n = 0; n < Number(values.kills); n += 1) {
    away.push(await killed(system, n));
    if (n % 5 === 0) hand.push(await byHand());
  }
  for (let n = 0; n < Number(values.hangs); n += 1) {
    const slot = `server-${(n % SERVERS) + 1}`;
    hung.push(await recovery(system, slot, () => system.signal(slot, "STOP")));
    await system.settled(MEMBERS);
  }
  say("made and started by hand", hand);
  say("killed, back in traffic", away);
  if (hung.length > 0) say("hung, back in traffic", hung);
  console.log(`killed against by hand: ${(percentile(away, 0.5) / percentile(hand, 0.5)).toFixed(2)}`);
}

await main();
