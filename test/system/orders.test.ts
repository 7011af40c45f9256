// An operator's standing orders on a whole system of processes: what they do to the traffic, and that they outlive the watchdog.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { eventually, within } from "../tools/eventually.ts";
import { ask, inTurn } from "../tools/http/ask.ts";
import { routeOf } from "../tools/load/exchange.ts";
import { run } from "../tools/process/run.ts";
import { type ProcessSystem, startSystem } from "../tools/process/system.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();
let system: ProcessSystem;

before(async () => {
  system = await startSystem(scope);
});

async function order(words: string): Promise<void> {
  const WATCHDOG_PORT = String(system.watchdogPort);
  const ctl = run(scope, "watchdog/ctl/watchdogctl", { WATCHDOG_PORT }, words.split(" "));
  const { code, stderr } = await within(20_000, words, ctl.ended);
  assert.deepEqual([code, stderr], [0, ""]);
}

/** The servers of the next requests, each with how many it got. */
async function shares(count: number): Promise<Record<string, number>> {
  const shares: Record<string, number> = {};
  for (const reply of await inTurn(count, () => ask(system.balancerPort))) {
    const [, server] = routeOf(reply);
    shares[server] = (shares[server] ?? 0) + 1;
  }
  return shares;
}

/** Every tier works by it. */
const serverIds = async () =>
  Object.keys(await shares(60))
    .sort()
    .join(" ");

const servers = (...numbers: readonly number[]) => numbers.map((number) => `server-${number}`).join(" ");
const becomes = (wanted: string) =>
  eventually(`requests go to ${wanted}`, async () => (await serverIds()) === wanted, 30_000);

test("a weight of 0 keeps requests from a server, also through a killed watchdog, until it is taken back", async () => {
  await order("weight server-1 0");
  await becomes(servers(2, 3, 4, 5, 6));
  await system.respawnsAfter(() => process.kill(system.pid("watchdog"), "SIGKILL"));
  assert.equal(await serverIds(), servers(2, 3, 4, 5, 6));
  await order("weight server-1 default");
  await becomes(servers(1, 2, 3, 4, 5, 6));
});

test("a paused service is not healed, also by the next watchdog, while requests go on; resumed, it is", async () => {
  await order("pause server-3");
  const generation = (await system.member("server-3"))?.generation ?? 0;
  process.kill(system.pid("server-3"), "SIGKILL");
  await becomes(servers(1, 2, 4, 5, 6));
  const row = async () => {
    const { body } = await ask(system.watchdogPort, { path: "/api/state" }).catch(() => ({ body: '{"slots":[]}' }));
    const { slots } = JSON.parse(body) as { slots: { slot: string; paused: boolean; step: string | null }[] };
    return slots.find(({ slot }) => slot === "server-3");
  };
  const waits = async () => {
    const { paused = false, step = "" } = (await row()) ?? {};
    return paused && step?.startsWith("wait: paused: ");
  };
  await eventually("server-3 waits", waits, 30_000);
  const killed = system.pid("watchdog");
  process.kill(killed, "SIGKILL");
  await eventually(
    "the next watchdog lets it wait too",
    async () => system.pid("watchdog") !== killed && (await waits()),
    30_000,
  );
  assert.equal((await system.member("server-3"))?.generation, generation);
  await order("resume server-3");
  await becomes(servers(1, 2, 3, 4, 5, 6));
});

test("where all servers of a proxy weigh nothing, the other proxy gets all, and where all weigh nothing, all serve", async () => {
  for (const number of [4, 5, 6]) await order(`weight server-${number} 0`);
  await becomes(servers(1, 2, 3));
  for (const number of [1, 2, 3]) await order(`weight server-${number} 0`);
  await becomes(servers(1, 2, 3, 4, 5, 6));
  for (const number of [1, 2, 3, 4, 5, 6]) await order(`weight server-${number} -`);
});

test("1,100 requests are shared by weight", async () => {
  await order("weight server-1 3");
  await order("weight server-4 4");
  const weights = { "server-1": 3, "server-2": 1, "server-3": 1, "server-4": 4, "server-5": 1, "server-6": 1 };
  let got: Readonly<Record<string, number>> = {};
  const fits = ([server, weight]: [string, number]) =>
    Math.abs((got[server] ?? 0) - 100 * weight) < 5 * Math.sqrt(100 * weight);
  const shared = async () => {
    got = await shares(1_100);
    return Object.entries(weights).every(fits);
  };
  await eventually(() => `each has its share: ${JSON.stringify(got)}`, shared, 30_000);
});
