// A request that kills whoever gets it, on real sockets through both tiers: it is sent once more at each tier and then no longer, while a
// request whose member happened to die is answered.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { series } from "../tools/http/metrics.ts";
import { named, type Origin, origin } from "../tools/http/origin.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();
let servers: Origin[];
let balancer: TierProcess;

/** Breaks the connection of `/kills` some time after it has come. */
function mortal(): Promise<Origin> {
  return origin(scope, async (request, response) => {
    if (request.url !== "/kills") return void response.end("here");
    await delay(50);
    request.socket.resetAndDestroy();
  });
}

const entriesOf = (all: readonly Origin[], group: string) =>
  all.map(({ port }, index) => entry(`server-${group}${index}`, port, { group }));
const killed = () => servers.filter(({ asked }) => asked.some(({ url }) => url === "/kills")).length;

before(async () => {
  servers = await Promise.all(Array.from({ length: 6 }, mortal));
  const entries = [...entriesOf(servers.slice(0, 3), "1"), ...entriesOf(servers.slice(3), "2")];
  ({ balancer } = await startTwoTiers(scope, entries, { proxies: 2 }));
});

async function resets({ adminPort }: TierProcess): Promise<number> {
  const failures = [...(await series(adminPort))].filter(([name]) => name.includes('failure="reset"'));
  return failures.reduce((sum, [, count]) => sum + count, 0);
}

test("a GET that kills whoever gets it kills two of six servers", async () => {
  const { status, headers } = await ask(balancer.port, { path: "/kills" });
  assert.deepEqual([status, headers["x-lb-error"]], [502, "reset"]);
  assert.equal(killed(), 2);
  assert.equal((await ask(balancer.port)).body, "here");
});

test("with BREAKING_RETRIES_MAX at 0 it kills one, and a member that is out of reach costs nothing", async () => {
  const all = await Promise.all(Array.from({ length: 3 }, mortal));
  const limits = { ROLE: "proxy", ID: "proxy-1", BREAKING_RETRIES_MAX: "0" };
  const tier = await startTier(scope, entriesOf(all, "1"), limits);
  assert.equal((await ask(tier.port, { path: "/kills" })).status, 502);
  assert.equal(all.filter(({ asked }) => asked.length > 0).length, 1);
});

test("members that were asked to stop did not break over it, also where the registry says so a moment later", async (t) => {
  const mortals = await Promise.all(Array.from({ length: 2 }, mortal));
  const last = await named(t, "alive");
  const tier = await startTier(t, [], { ROLE: "proxy", ID: "proxy-1" });
  const old = entriesOf(mortals, "1");
  await tier.publish(old);
  const answer = ask(tier.port, { path: "/kills" });
  await eventually("both have broken over it", async () => (await resets(tier)) === 2);
  const leaving = old.map((member) => ({ ...member, state: "draining" as const }));
  await tier.publish([...leaving, entry("server-new", last.port, { group: "1" })]);
  assert.equal((await answer).body, "alive");
});
