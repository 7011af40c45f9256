// A request that kills whoever gets it, on real sockets through both tiers: it is sent once more at each tier and then no longer, while a
// request whose member happened to die is answered, and so are all that a proxy dies with.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { series } from "../tools/http/metrics.ts";
import { named, type Origin, origin, type RawOrigin, rawOrigin } from "../tools/http/origin.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

const scope = fileScope();
let servers: Origin[];
let balancer: TierProcess;

/** Breaks the connection of `/kills` some time after it has come, and that of `/kills-at-once` at once. */
function mortal(): Promise<Origin> {
  return origin(scope, async (request, response) => {
    if (!request.url?.startsWith("/kills")) return void response.end("here");
    if (request.url === "/kills") await delay(50);
    request.socket.resetAndDestroy();
  });
}

const entriesOf = (all: readonly Origin[], group: string) =>
  all.map(({ port }, index) => entry(`server-${group}${index}`, port, { group }));
const killedBy = (path: string, all = servers) =>
  all.reduce((sum, { asked }) => sum + asked.filter(({ url }) => url === path).length, 0);

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
  assert.equal(killedBy("/kills"), 2);
  assert.equal((await ask(balancer.port)).body, "here");
});

/** So that its tiers have connections to all servers that are idle. */
async function warm({ port }: TierProcess): Promise<void> {
  for (let sent = 0; sent < 40; sent += 1) await ask(port);
}

for (const perProxy of [3, 2]) {
  test(`a GET that kills at once, over connections that were idle, kills two where a proxy has ${perProxy}`, async (t) => {
    const all = await Promise.all(Array.from({ length: 2 * perProxy }, mortal));
    const entries = [...entriesOf(all.slice(0, perProxy), "1"), ...entriesOf(all.slice(perProxy), "2")];
    const chain = await startTwoTiers(t, entries, { proxies: 2 });
    await warm(chain.balancer);
    const { status, headers } = await ask(chain.balancer.port, { path: "/kills-at-once" });
    assert.deepEqual([status, headers["x-lb-error"]], [502, "reset"]);
    assert.equal(killedBy("/kills-at-once", all), 2);
  });
}

test("a GET that kills the only server of each proxy is held until one is back, kills that one and no more", async (t) => {
  const all = await Promise.all(Array.from({ length: 2 }, mortal));
  const entries = [...entriesOf(all.slice(0, 1), "1"), ...entriesOf(all.slice(1), "2")];
  const chain = await startTwoTiers(t, entries, { proxies: 2 });
  const proxies = chain.proxies.map(({ port }, index) => entry(`proxy-${index + 1}`, port, { link: 1 }));
  await chain.balancer.publish([...proxies, ...entries]);
  await warm(chain.balancer);
  const { status, headers } = await ask(chain.balancer.port, { path: "/kills-at-once" });
  assert.deepEqual([status, headers["x-lb-error"]], [502, "reset"]);
  // The only one is asked once more over a new connection each time, as these come back at once.
  const killed = killedBy("/kills-at-once", all);
  assert.ok(killed >= 3 && killed <= 6, String(killed));
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

test("members that were asked to stop and are made anew since did not break over it either", async (t) => {
  const mortals = await Promise.all(Array.from({ length: 2 }, mortal));
  const twins = await Promise.all(["twin", "twin"].map((name) => named(t, name)));
  const old = entriesOf(mortals, "1");
  const tier = await startTier(t, old, { ROLE: "proxy", ID: "proxy-1" });
  const answer = ask(tier.port, { path: "/kills" });
  await eventually("both have broken over it", async () => (await resets(tier)) === 2);
  const anew = old.map((member, index) => ({ ...member, port: twins[index]?.port as number, generation: 2 }));
  await tier.publish(anew.map((member) => ({ ...member, recreating: 10_000 })));
  assert.equal((await answer).body, "twin");
});

/** Answers on each connection until told to leave; then it breaks whatever connection is used. */
function leaver(scope: Scope, isLeaving: () => boolean): Promise<RawOrigin> {
  return rawOrigin(scope, (socket) => {
    if (isLeaving()) socket.resetAndDestroy();
    else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere");
  });
}

const LEAVERS = 10;
const requestsTo = (origins: readonly RawOrigin[]) =>
  origins.reduce((sum, { received }) => sum + received().split("GET ").length - 1, 0);

async function tierOfLeavers(scope: Scope) {
  let leave = false;
  const leavers = await Promise.all(Array.from({ length: LEAVERS }, () => leaver(scope, () => leave)));
  const last = await named(scope, "alive");
  const entries = leavers.map(({ port }, index) => entry(`server-${index}`, port));
  const stays = entry("server-last", last.port);
  const tier = await startTier(scope, [...entries, stays], { ROLE: "proxy", ID: "proxy-1" });
  // A connection to each, idle.
  for (let sent = 0; sent < 2 * LEAVERS; sent += 1) await ask(tier.port);
  const begin = () => {
    leave = true;
  };
  const sayLeaving = () => tier.publish([...entries.map((one) => ({ ...one, state: "draining" as const })), stays]);
  const takeLastAway = () => tier.publish(entries);
  return { tier, leavers, begin, sayLeaving, takeLastAway };
}

test("of eleven ten are stopped at once: their idle connections break, and no GET fails", async (t) => {
  const { tier, begin, sayLeaving } = await tierOfLeavers(t);
  begin();
  const answers = Array.from({ length: 8 }, () => ask(tier.port));
  await eventually("all of one request's attempts have broken", async () => (await resets(tier)) >= 2);
  await sayLeaving();
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    answers.map(() => "alive"),
  );
});

test("a GET whose members go on to answer others waits for nobody's word", async (t) => {
  const mortals = await Promise.all(Array.from({ length: 3 }, mortal));
  const tier = await startTier(t, entriesOf(mortals, "1"), { ROLE: "proxy", ID: "proxy-1" });
  let over = false;
  const others = (async () => {
    while (!over) assert.equal((await ask(tier.port)).status, 200);
  })();
  const sentMs = performance.now();
  const { status, headers } = await ask(tier.port, { path: "/kills" });
  const waitedMs = performance.now() - sentMs;
  over = true;
  await others;
  assert.deepEqual([status, headers["x-lb-error"], killedBy("/kills", mortals)], [502, "reset", 2]);
  assert.ok(waitedMs < 1_500, `${waitedMs} ms: it would be more than two seconds`);
});

test("a GET that breaks connections at once breaks two, where nobody was asked to stop", async (t) => {
  const { tier, leavers, begin, takeLastAway } = await tierOfLeavers(t);
  await takeLastAway();
  const before = requestsTo(leavers);
  begin();
  assert.equal((await ask(tier.port)).headers["x-lb-error"], "reset");
  assert.equal(requestsTo(leavers) - before, 2);
});

test("a proxy that dies with as much as its servers work on together costs no GET", async (t) => {
  const owed: (() => void)[] = [];
  let isHeld = true;
  const holding = () =>
    origin(t, (_request, response) => {
      const answer = () => void response.end("here");
      if (isHeld) owed.push(answer);
      else answer();
    });
  const origins = await Promise.all(Array.from({ length: 6 }, holding));
  // Two proxies have room for 180 each, and a hundred retries are always there.
  const environment = { MEMBER_REQUESTS_MAX: "60" };
  const { balancer: tier, proxies } = await startTwoTiers(t, [], { proxies: 2, environment });
  const fronts = proxies.map(({ port, adminPort }, index) => {
    const group = String(index + 1);
    return entry(`proxy-${group}`, port, { adminPort, link: 1, group });
  });
  const members = [...fronts, ...entriesOf(origins.slice(0, 3), "1"), ...entriesOf(origins.slice(3), "2")];
  for (const each of [...proxies, tier]) await each.publish(members);
  const answers = Array.from({ length: 300 }, () => ask(tier.port));
  await eventually("the servers have them all", () => owed.length === answers.length);
  proxies[0]?.child.kill("SIGKILL");
  isHeld = false;
  for (const answer of owed) answer();
  const statuses = new Set((await Promise.all(answers)).map(({ status }) => status));
  assert.deepEqual([...statuses], [200]);
});
