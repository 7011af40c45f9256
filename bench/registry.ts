// `npm run bench:registry`: the registry over HTTP with a thousand and ten thousand members and two hundred followers: how large it is, what
// a new version costs the watchdog and each tier, and how soon it has come to all of them. And what a look at a Swarm with so many tasks
// costs. It measures; it judges nothing.

import { type ChildProcess, fork } from "node:child_process";
import { once, setMaxListeners } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { followRegistry } from "../services/registry/follower.ts";
import { eventually } from "../test/tools/eventually.ts";
import { connect } from "../watchdog/engines/docker/connection.ts";
import { SwarmDiscovery } from "../watchdog/engines/swarm/discovery.ts";
import type { Published } from "./registry/feed.ts";
import type { ManagerTold } from "./registry/manager.ts";

const SIZES = [13, 100, 1_000, 10_000];
const FOLLOWERS = 200;
const VERSIONS = 20;
const LOOKS = 20;

class Feed {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(members: number): Promise<{ feed: Feed; first: Published }> {
    const path = new URL("./registry/feed.ts", import.meta.url);
    const child = fork(path, [String(members)], { execArgv: ["--import", "tsx"] });
    const [first] = (await once(child, "message")) as [Published];
    return { feed: new Feed(child), first };
  }

  async order(what: "publish" | "tell"): Promise<Published> {
    const told = once(this.#child, "message");
    this.#child.send(what);
    return (await told)[0] as Published;
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** Asks as a tier does and reads what comes, but does not unpack it: two hundred tiers do that on machines of their own. */
async function followPacked(port: number, arrived: (atMs: number) => void, stop: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true });
  for (let version = 1; !stop.aborted; version += 1) {
    const headers = { "accept-encoding": "gzip" };
    const path = `/registry?after=${version}`;
    const [response] = (await once(
      get({ host: "127.0.0.1", port, path, agent, headers, signal: stop }),
      "response",
    )) as [IncomingMessage];
    for await (const _ of response);
    arrived(now());
  }
}

async function measure(members: number): Promise<void> {
  const { feed, first } = await Feed.start(members);
  const stopping = new AbortController();
  const { signal: stop } = stopping;
  setMaxListeners(FOLLOWERS * 2, stop);
  const arrivals: number[] = [];
  let adopted = 0;
  const onChange = ({ version }: { readonly version: number }) => {
    adopted = version;
  };
  const settings = {
    REGISTRY: undefined,
    REGISTRY_FILE: "/nowhere/registry.json",
    REGISTRY_URL: `http://127.0.0.1:${first.port}/registry`,
  };
  await followRegistry({ settings, log: () => {}, stop, onChange });
  for (let index = 1; index < FOLLOWERS; index += 1)
    followPacked(first.port, (atMs) => void arrivals.push(atMs), stop).catch(() => {});
  await eventually("all follow", async () => (await feed.order("tell")).waiting === FOLLOWERS, 30_000);
  const before = await feed.order("tell");
  const lastMs: number[] = [];
  const adoptedMs: number[] = [];
  const ownBefore = process.cpuUsage();
  for (let count = 0; count < VERSIONS; count += 1) {
    arrivals.length = 0;
    const begunMs = now();
    const { version } = await feed.order("publish");
    await eventually("it is adopted", () => adopted === version, 30_000);
    adoptedMs.push(now() - begunMs);
    await eventually("all have it", () => arrivals.length === FOLLOWERS - 1, 30_000);
    lastMs.push(Math.max(...arrivals) - begunMs);
    await eventually("all wait again", async () => (await feed.order("tell")).waiting === FOLLOWERS, 30_000);
  }
  const own = process.cpuUsage(ownBefore);
  const after = await feed.order("tell");
  stopping.abort();
  feed.stop();
  const watchdogMs = (after.cpuMs - before.cpuMs) / VERSIONS;
  const followersMs = (own.user + own.system) / 1_000 / VERSIONS;
  const cells = [members, kilobytes(after.bytes), kilobytes(after.packedBytes), watchdogMs.toFixed(0)];
  console.log(`| ${[...cells, followersMs.toFixed(0), median(adoptedMs), median(lastMs)].join(" | ")} |`);
}

/** A round's look: the manager's answer about all tasks, and what it is in our words. */
async function measureLooks(tasks: number): Promise<void> {
  const path = new URL("./registry/manager.ts", import.meta.url);
  const manager = fork(path, [String(tasks)], { execArgv: ["--import", "tsx"] });
  const [{ socket, bytes }] = (await once(manager, "message")) as [ManagerTold];
  const discovery = new SwarmDiscovery(await connect(socket), { stack: "ek", networks: new Set() });
  const look = async () => {
    const begunMs = now();
    const found = await discovery.list();
    await discovery.slots();
    if (found.length !== tasks) throw new Error(`${found.length} of ${tasks} tasks were found`);
    return now() - begunMs;
  };
  // The first ones are not compiled yet.
  for (let count = 0; count < LOOKS; count += 1) await look();
  const before = process.cpuUsage();
  const tookMs: number[] = [];
  for (let count = 0; count < LOOKS; count += 1) tookMs.push(await look());
  const { user, system } = process.cpuUsage(before);
  manager.disconnect();
  const cpuMs = (user + system) / 1_000 / LOOKS;
  console.log(`| ${[tasks, kilobytes(bytes), cpuMs.toFixed(1), median(tookMs)].join(" | ")} |`);
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

function kilobytes(bytes: number): string {
  return (bytes / 1_000).toFixed(1);
}

function median(values: readonly number[]): string {
  return ([...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] as number).toFixed(0);
}

console.log(`${FOLLOWERS} followers, ${VERSIONS} versions each; medians`);
console.log(
  "| members | KB | KB packed | watchdog's CPU a version, ms | followers' CPU a version, ms | adopted after, ms | all have it after, ms |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const members of SIZES) await measure(members);

console.log(`\nA look at a Swarm, ${LOOKS} times`);
console.log("| tasks | KB of tasks | the watchdog's CPU, ms | took, ms |");
console.log("| --- | --- | --- | --- |");
for (const tasks of SIZES) await measureLooks(tasks);
