// A tier of several workers, as real processes: to the outside it is one member, with the limits, the metrics and the end of one. What a
// worker's death costs is its own requests.

import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer } from "node:http";
import { type TestContext, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { shareOf } from "../../services/workers/shares.ts";
import { eventually, within } from "../tools/eventually.ts";
import { ask, begin, inTurn, rawClient } from "../tools/http/ask.ts";
import { series } from "../tools/http/metrics.ts";
import { named, origin } from "../tools/http/origin.ts";
import { HOST, listening } from "../tools/ports.ts";
import { childrenOf, isAlive } from "../tools/process/pids.ts";
import { run } from "../tools/process/run.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const TWO = { WORKERS: "2" };
const SOON_MS = 10_000;

const workersOf = ({ child }: TierProcess) => childrenOf(child.pid as number);

async function metric({ adminPort }: TierProcess, name: string): Promise<number | undefined> {
  return (await series(adminPort)).get(name);
}

test("several workers are one member: it says once where it listens, and counts what all of them did", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("proxy-1", server.port)], TWO);
  assert.equal(tier.events.filter(({ event }) => event === "listening").length, 1);
  assert.equal(workersOf(tier).length, 2);
  // A connection each: they go to the workers in turn.
  const replies = await inTurn(10, () => ask(tier.port));
  assert.deepEqual(new Set(replies.map(({ body }) => body)), new Set(["server"]));
  assert.equal(await metric(tier, 'evenkeel_requests_total{method="GET",code="200"}'), 10);
  assert.equal(await metric(tier, "evenkeel_request_duration_seconds_count"), 10);
  assert.equal(await metric(tier, "evenkeel_members_serving"), 1);
  assert.equal(await metric(tier, "evenkeel_workers"), 2);
  assert.equal((await ask(tier.adminPort, { path: "/readyz" })).status, 200);
});

test("what one member works on at a time is no more for all workers together than for one", async (t) => {
  let [now, most] = [0, 0];
  const held: (() => void)[] = [];
  const server = await origin(t, (_request, response) => {
    now += 1;
    most = Math.max(most, now);
    held.push(() => {
      now -= 1;
      response.end("done");
    });
  });
  const tier = await startTier(t, [entry("proxy-1", server.port)], {
    ...TWO,
    MEMBER_REQUESTS_MAX: "3",
    QUEUE_MAX: "20",
  });
  const asked = Array.from({ length: 12 }, () => ask(tier.port));
  const letGo = setInterval(() => held.shift()?.(), 20);
  t.after(() => clearInterval(letGo));
  assert.deepEqual(new Set((await Promise.all(asked)).map(({ status }) => status)), new Set([200]));
  assert.ok(most <= 3 && most >= 2, `${most} at a time`);
});

test("the shares of a limit add up to it, and differ by one at most", () => {
  for (const [limit, workers] of [
    [256, 2],
    [257, 2],
    [10_000, 7],
    [3, 3],
    [0, 4],
  ] as const) {
    const shares = Array.from({ length: workers }, (_, index) => shareOf(limit, workers, index + 1));
    assert.equal(
      shares.reduce((sum, share) => sum + share, 0),
      limit,
    );
    assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
  }
});

test("more workers than there may be requests at a member are refused, with the setting's name", async (t) => {
  const refused = run(t, "main", { ROLE: "balancer", WORKERS: "4", MEMBER_REQUESTS_MAX: "3" });
  const { code, stderr } = await within(SOON_MS, "the refusal", refused.ended);
  assert.equal(code, 78);
  assert.equal(stderr, 'evenkeel: WORKERS="4": it must be at most MEMBER_REQUESTS_MAX, which is 3\n');
});

/** One request after the other on each of some connections, for as long as the test wants. */
function traffic(t: TestContext, port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const failed: string[] = [];
  let [sent, stopped] = [0, false];
  async function loop(): Promise<void> {
    while (!stopped) {
      sent += 1;
      await ask(port, { agent }).catch((error: NodeJS.ErrnoException) => failed.push(error.code ?? error.message));
    }
  }
  const loops = Array.from({ length: 4 }, loop);
  const stop = async () => {
    stopped = true;
    await Promise.all(loops);
    agent.destroy();
  };
  t.after(stop);
  return { failed, sent: () => sent, stop };
}

test("a worker that is killed costs its own requests alone, and is back at once", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("proxy-1", server.port)], TWO);
  const load = traffic(t, tier.port);
  await eventually("traffic", () => load.sent() > 100);
  const counted = (await metric(tier, 'evenkeel_requests_total{method="GET",code="200"}')) ?? 0;
  const [victim] = workersOf(tier) as [number];
  process.kill(victim, "SIGKILL");
  await tier.event("worker-failing", { reason: "it was ended by SIGKILL" });
  await tier.event("worker-recovered");
  const before = load.sent();
  await eventually("more traffic", () => load.sent() > before + 100);
  await load.stop();
  // At most the one request that each connection had under way, or had just begun.
  assert.ok(load.failed.length <= 4, load.failed.join());
  assert.ok(
    load.failed.every((code) => ["ECONNRESET", "EPIPE"].includes(code)),
    load.failed.join(),
  );
  assert.equal(workersOf(tier).length, 2);
  assert.ok(!workersOf(tier).includes(victim));
  const now = (await metric(tier, 'evenkeel_requests_total{method="GET",code="200"}')) ?? 0;
  assert.ok(now >= counted + 100, `${now} after ${counted}`);
  assert.equal(await metric(tier, "evenkeel_worker_restarts_total"), 1);
});

test("a worker that hangs is killed and replaced, and the other one serves meanwhile", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("proxy-1", server.port)], TWO);
  const [victim] = workersOf(tier) as [number];
  process.kill(victim, "SIGSTOP");
  assert.equal((await ask(tier.adminPort, { path: "/readyz" })).status, 200);
  await tier.event("worker-failing", { reason: "it hung, and was killed" });
  await tier.event("worker-recovered");
  assert.deepEqual(new Set(await inTurn(4, async () => (await ask(tier.port)).status)), new Set([200]));
});

test("every worker follows the registry", async (t) => {
  const [one, other] = [await named(t, "one"), await named(t, "other")];
  const tier = await startTier(t, [entry("proxy-1", one.port)], TWO);
  await tier.publish([entry("proxy-2", other.port)]);
  await eventually("all workers", async () => (await metric(tier, "evenkeel_registry_version")) === 2);
  const bodies = await inTurn(6, async () => (await ask(tier.port)).body);
  assert.deepEqual(new Set(bodies), new Set(["other"]));
});

test("told to stop, all workers finish what they have, and the member ends well", async (t) => {
  const answers: (() => void)[] = [];
  const server = await origin(t, (_request, response) => void answers.push(() => response.end("whole")));
  const tier = await startTier(t, [entry("proxy-1", server.port)], TWO);
  const asked = [ask(tier.port), ask(tier.port)];
  await eventually("both at the server", () => answers.length === 2);
  const pids = workersOf(tier);
  tier.child.kill("SIGTERM");
  await tier.event("draining");
  for (const answer of answers) answer();
  assert.deepEqual(
    (await Promise.all(asked)).map(({ body }) => body),
    ["whole", "whole"],
  );
  const { code, stderr } = await within(SOON_MS, "the end", tier.ended);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
  assert.deepEqual(pids.filter(isAlive), []);
});

test("no worker outlives its primary", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("proxy-1", server.port)], TWO);
  const pids = workersOf(tier);
  assert.equal(pids.length, 2);
  tier.child.kill("SIGKILL");
  await eventually("the end of the workers", () => !pids.some(isAlive));
});

for (const LINK of ["yes", "no"]) {
  test(`both tiers may have workers, LINK=${LINK}: requests with bodies, pipelined ones, WebSockets`, async (t) => {
    const http = createServer((request, response) => void request.pipe(response));
    const sockets = new WebSocketServer({ server: http });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
    const server = entry("server-1", await listening(t, http, 0), { group: "1" });
    const { balancer, proxies } = await startTwoTiers(t, [server], { environment: { ...TWO, LINK } });
    const body = "b".repeat(300_000);
    const bodies = await inTurn(4, async () => (await ask(balancer.port, { method: "POST", body })).body);
    assert.ok(bodies.every((each) => each === body));
    const raw = await rawClient(t, balancer.port);
    raw.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
    await raw.until(/200 OK[\s\S]*200 OK/);
    const socket = new WebSocket(`ws://${HOST}:${balancer.port}/`);
    t.after(() => socket.terminate());
    await within(SOON_MS, "the handshake", once(socket, "open"));
    socket.send("hello");
    assert.equal(String((await once(socket, "message"))[0]), "hello");
    const open = async () => (await metric(balancer, "evenkeel_links_open")) ?? 0;
    if (LINK === "yes") await eventually("four links of each worker", async () => (await open()) === 8);
    else assert.equal(await open(), 0);
    assert.equal((await begin(proxies[0]?.port ?? 0)).statusCode, 200);
  });
}
