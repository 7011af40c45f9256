// Members replaced one after another under a steady load, in the whole system as child processes: killed, frozen, and ended
// by hand. No GET fails, no POST is executed twice, and an orderly end costs nobody anything.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { PacedLoad } from "./support/paced-load.ts";
import { freePort } from "./support/ports.ts";
import { run } from "./support/process.ts";
import { temporaryDirectory } from "./support/registry.ts";
import { ProcessSystem } from "./support/system-process.ts";

/** 24 clients, each with a request every 80 ms: 300 requests a second. */
const PACE = { getters: 16, posters: 8, periodMs: 80 };

/** In each server, before our own code: notes every POST that arrives, whatever becomes of it. */
const NOTE_ARRIVALS = `
  import { subscribe } from "node:diagnostics_channel";
  import { appendFileSync } from "node:fs";
  if (process.env.ROLE === "server") subscribe("http.server.request.start", ({ request }) => {
    if (request.method === "POST") appendFileSync(process.env.ARRIVALS_FILE, request.url.replace(/.*=/, "") + "\\n");
  });
`;

const directory = await temporaryDirectory({ after });
const arrivalsFile = join(directory, "arrivals");
const system = await start();

async function start(): Promise<ProcessSystem> {
  const [balancerPort, watchdogPort] = [await freePort(), await freePort()];
  const registryFile = join(directory, "registry.json");
  const watchdog = run({ after }, "main", {
    ROLE: "watchdog",
    ENGINE: "process",
    BALANCER_PORT: String(balancerPort),
    WATCHDOG_PORT: String(watchdogPort),
    REGISTRY_FILE: registryFile,
    ARRIVALS_FILE: arrivalsFile,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(NOTE_ARRIVALS)}`,
  });
  const made = new ProcessSystem(watchdog, { balancerPort, watchdogPort, registryFile });
  after(() => {
    for (const pid of made.alive()) process.kill(pid, "SIGKILL");
  });
  await made.serves();
  return made;
}

interface Replacement {
  readonly what: string;
  readonly member: string;
  readonly signal: NodeJS.Signals;
  /** POSTs that were with the member when it went: at most one of each client. */
  readonly postsLostMax: number;
}

const replacements: readonly Replacement[] = [
  { what: "a server is killed", member: "server-1", signal: "SIGKILL", postsLostMax: PACE.posters },
  { what: "a proxy is killed", member: "proxy-1", signal: "SIGKILL", postsLostMax: PACE.posters },
  { what: "a server is frozen", member: "server-2", signal: "SIGSTOP", postsLostMax: PACE.posters },
  { what: "a server is told to stop", member: "server-4", signal: "SIGTERM", postsLostMax: 0 },
  { what: "a proxy is told to stop", member: "proxy-2", signal: "SIGTERM", postsLostMax: 0 },
];

for (const { what, member, signal, postsLostMax } of replacements) {
  const cost = postsLostMax === 0 ? "nothing at all" : "no GET, and of the POSTs only what it was working on";
  test(`${what} and replaced under load, which costs ${cost}`, async (t) => {
    const load = new PacedLoad(system.balancerPort, PACE);
    t.after(() => load.finish());
    await load.more(20, member);
    await system.healsAfter(signal, member);
    await load.more(5, member);
    await load.more(100);
    await load.finish();

    const { get, post } = load;
    t.diagnostic(`${get.sent.length} GETs, ${get.failed.size} failed, slowest ${Math.round(get.slowestMs)} ms`);
    t.diagnostic(`${post.sent.length} POSTs, ${post.failed.size} failed, slowest ${Math.round(post.slowestMs)} ms`);
    assert.deepEqual([...get.failed.values()], []);
    assert.equal(get.answered.length, get.sent.length);
    assert.equal(post.answered.length + post.failed.size, post.sent.length);
    assert.ok(post.failed.size <= postsLostMax, [...post.failed.values()].join(", "));
    await assertExecutedOnce(load);
  });
}

/** Every POST that was answered arrived at one server, once; one that failed, at most once. */
async function assertExecutedOnce({ post }: PacedLoad): Promise<void> {
  const arrivals = (await readFile(arrivalsFile, "utf8")).split("\n");
  const times = new Map<string, number>();
  for (const id of arrivals) times.set(id, (times.get(id) ?? 0) + 1);
  const not = (wanted: (count: number) => boolean) => (id: string) => !wanted(times.get(id) ?? 0);
  assert.deepEqual(post.answered.filter(not((count) => count === 1)), []);
  assert.deepEqual([...post.failed.keys()].filter(not((count) => count <= 1)), []);
}
