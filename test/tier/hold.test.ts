// Requests that wait because nobody serves and the registry says that a server is made anew, on real sockets: through the balancer alone
// and through both tiers.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask, rawClient } from "../tools/http/ask.ts";
import { gauge } from "../tools/http/metrics.ts";
import { named, origin } from "../tools/http/origin.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const LONG_MS = 60_000;
const LARGE_BYTES = 3_000_000;
const scope = fileScope();
let tier: TierProcess;

before(async () => {
  tier = await startTier(scope, [], { ID: "balancer", HELD_MAX: "3" });
});

/** It is being made anew. */
const away = (port: number, recreating = LONG_MS) => entry("app-1", port, { state: "down", recreating });
const held = ({ adminPort }: TierProcess) => gauge(adminPort, "evenkeel_requests_held");
const holds = (count: number, of = tier) => eventually(`${count} are held`, async () => (await held(of)) === count);

test("while the last server is made anew, requests of any method wait, and its successor answers them all", async (t) => {
  const server = await named(t, "there");
  await tier.publish([away(server.port)]);
  const get = ask(tier.port);
  const post = ask(tier.port, { method: "POST", body: "x".repeat(1_000) });
  await holds(2);
  await tier.publish([entry("app-1", server.port, { generation: 2 })]);
  assert.deepEqual(
    [await get, await post].map(({ status, body }) => `${status} ${body}`),
    ["200 there", "200 there"],
  );
  await holds(0);
});

test("nobody waits where nothing is said to come: 503 at once", async (t) => {
  const server = await named(t, "there");
  await tier.publish([entry("app-1", server.port, { state: "down" })]);
  // What was made anew a moment ago may be seen by others a little later.
  await eventually("it answers at once", async () => {
    const { status, headers } = await ask(tier.port);
    return status === 503 && headers["x-lb-error"] === "no-member" && (await held(tier)) === 0;
  });
});

test("so many wait, and no more; who leaves makes room; the longest wait is that of the registry", async () => {
  await tier.publish([away(1)]);
  const clients = await Promise.all([1, 2, 3].map(() => rawClient(scope, tier.port)));
  for (const client of clients) client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await holds(3);
  assert.deepEqual((await ask(tier.port)).headers["x-lb-error"], "no-member");
  clients[0]?.socket.resetAndDestroy();
  await holds(2);
  const last = ask(tier.port);
  await holds(3);
  await tier.publish([away(1, 100)]);
  assert.equal((await last).status, 503);
  await holds(0);
});

test("through both tiers: the proxies have nobody, and the balancer holds", async (t) => {
  const server = await named(t, "there");
  const { balancer, proxies } = await startTwoTiers(t, [away(server.port)], { proxies: 2 });
  const tiers = proxies.map(({ port, adminPort }, index) => entry(`proxy-${index + 1}`, port, { adminPort, link: 1 }));
  await balancer.publish([...tiers, away(server.port)]);
  const answers = [ask(balancer.port), ask(balancer.port, { method: "POST", body: "y" })];
  await holds(2, balancer);
  const back = entry("app-1", server.port, { generation: 2 });
  for (const proxy of proxies) await proxy.publish([back]);
  await balancer.publish([...tiers, back]);
  for (const { status, body } of await Promise.all(answers)) assert.deepEqual([status, body], [200, "there"]);
});

test("a body too large to be sent twice waits unread, and goes through both tiers when a server is back", async (t) => {
  const sizes: number[] = [];
  const server = await origin(t, (request, response) => {
    let size = 0;
    request.on("data", (chunk: Buffer) => (size += chunk.length));
    request.on("end", () => {
      sizes.push(size);
      response.end("all of it");
    });
  });
  const { balancer, proxies } = await startTwoTiers(t, [away(server.port)], { proxies: 1 });
  const tiers = proxies.map(({ port, adminPort }, index) => entry(`proxy-${index + 1}`, port, { adminPort, link: 1 }));
  await balancer.publish([...tiers, away(server.port)]);
  const post = ask(balancer.port, { method: "POST", body: "x".repeat(LARGE_BYTES) });
  await holds(1, balancer);
  const back = entry("app-1", server.port, { generation: 2 });
  for (const proxy of proxies) await proxy.publish([back]);
  await balancer.publish([...tiers, back]);
  const { status, body } = await post;
  assert.deepEqual([status, body, sizes], [200, "all of it", [LARGE_BYTES]]);
});

test("a successor that answers with a fault of its own keeps nobody waiting", async (t) => {
  const server = await origin(t, (_, response) => void response.writeHead(500).end("broken"));
  await tier.publish([away(server.port)]);
  const answers = [ask(tier.port), ask(tier.port), ask(tier.port)];
  await holds(3);
  await tier.publish([
    entry("app-1", server.port, { generation: 2 }),
    entry("app-2", 1, { state: "down", recreating: LONG_MS }),
  ]);
  for (const { status, body } of await Promise.all(answers)) assert.deepEqual([status, body], [500, "broken"]);
});

test("a tier that is told to stop holds nobody any longer", async (t) => {
  const own = await startTier(t, [away(1)], { ID: "balancer" });
  const answer = ask(own.port);
  await holds(1, own);
  own.child.kill("SIGTERM");
  assert.equal((await answer).status, 503);
});
