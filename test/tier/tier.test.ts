// Which member a tier asks, on real sockets: round robin and random, what is tried again elsewhere and what never, and what a
// client is told when nobody is there. Who is taken out of traffic, and how they come back, is in ejection.test.ts.

import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask, inTurn } from "../tools/http/ask.ts";
import { named, origin, rawOrigin } from "../tools/http/origin.ts";
import { freePort } from "../tools/ports.ts";
import type { Running } from "../tools/process/run.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const suspects = ({ events }: Running) =>
  events.filter(({ event }) => event === "member-failing").map(({ member }) => member);

/** One balancer for every test that needs no settings of its own; each gives it members that it has not met. */
const scope = fileScope();
let tier: TierProcess;

before(async () => {
  tier = await startTier(scope, []);
});

test("a balancer asks its proxies exactly in turn", async (t) => {
  const [a, b] = [await named(t, "a"), await named(t, "b")];
  await tier.give(a.port, b.port);
  const bodies = await inTurn(8, async () => (await ask(tier.port)).body);
  assert.deepEqual(bodies, bodies[0] === "a" ? [..."abababab"] : [..."babababa"]);
});

test("a proxy asks every serving member of its own group, and nobody else", async (t) => {
  const origins = await Promise.all(["1", "2", "drained", "other", "proxy"].map((name) => named(t, name)));
  const [one, two, drained, other, proxy] = origins.map(({ port }) => port) as [number, number, number, number, number];
  const { port } = await startTier(
    t,
    [
      entry("server-1", one, { group: "2" }),
      entry("server-2", two, { group: "2" }),
      entry("server-3", drained, { group: "2", state: "draining" }),
      entry("server-4", other, { group: "1" }),
      entry("proxy-9", proxy, { group: "2" }),
    ],
    { ROLE: "proxy", ID: "proxy-2", GROUP: "2" },
  );
  const bodies = await Promise.all(Array.from({ length: 100 }, async () => (await ask(port)).body));
  assert.deepEqual(new Set(bodies), new Set(["1", "2"]));
});

test("a member that refuses is passed over for any method, body and all, and taken out of traffic", async (t) => {
  const echo = await origin(t, async (request, response) => response.end(`${request.method} ${await text(request)}`));
  for (const method of ["POST", "GET", "PUT", "PATCH", "DELETE"]) {
    // Another port is another instance: the tier has to find out anew that nobody is there.
    await tier.publish([entry("proxy-1", echo.port), entry(`proxy-${method}`, await freePort())]);
    const replies = await inTurn(4, (turn) => ask(tier.port, { method, body: `body ${turn}` }));
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body]),
      replies.map((_, turn) => [200, `${method} body ${turn}`]),
    );
    const suspect = await tier.event("member-failing", { member: `proxy-${method}` });
    assert.deepEqual([suspect.was, suspect.now, suspect.reason], ["up", "ejected", "ECONNREFUSED"]);
  }
  assert.equal(echo.asked.length, 20);
  const refusing = suspects(tier).filter((id) => /-[A-Z]+$/.test(String(id)));
  assert.equal(refusing.length, 5, "each is suspected once");
});

test("a GET whose member resets before a byte came is answered by another; so is a PUT with its body", async (t) => {
  const resets = await rawOrigin(t, (socket) => void socket.resetAndDestroy());
  const echo = await origin(t, async (request, response) => response.end(`${request.method} ${await text(request)}`));
  for (const [generation, method] of ["GET", "PUT"].entries()) {
    await tier.publish([entry("proxy-resets", resets.port, { generation }), entry("proxy-echo", echo.port)]);
    const replies = await inTurn(2, () => ask(tier.port, { method, ...(method === "PUT" ? { body: "whole" } : {}) }));
    const expected = method === "PUT" ? "PUT whole" : "GET ";
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body]),
      [
        [200, expected],
        [200, expected],
      ],
    );
    assert.equal(resets.sockets.length, generation + 1, "the member was asked once");
  }
});

test("a request that needed more than one attempt says how many, and the log says what became of each", async (t) => {
  const resets = await rawOrigin(t, (socket) => void socket.resetAndDestroy());
  const good = await named(t, "good");
  await tier.publish([entry("proxy-breaks", resets.port), entry("proxy-answers", good.port)]);
  const ids = ["first", "second"];
  const replies = await inTurn(2, (turn) => ask(tier.port, { headers: { "X-Request-Id": ids[turn] as string } }));
  const repeated = replies.findIndex(({ headers }) => headers["x-lb-attempts"] === "2");
  assert.deepEqual(replies.map(({ headers }) => headers["x-lb-attempts"]).sort(), ["2", undefined]);
  const line = await tier.event("request-retried", { requestId: ids[repeated] });
  assert.deepEqual([line.method, line.status], ["GET", 200]);
  const failed = line.failed as { member: string; failure: string }[];
  assert.deepEqual(
    failed.map(({ member, failure }) => [member, failure]),
    [["proxy-breaks", "reset"]],
  );
});

test("a POST whose member resets is not repeated: the client gets a 502, and nobody else the request", async (t) => {
  const resets = await rawOrigin(t, (socket) => void socket.resetAndDestroy());
  const good = await named(t, "good");
  await tier.give(resets.port, good.port);
  const replies = await inTurn(2, () => ask(tier.port, { method: "POST", body: "once" }));
  assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 502]);
  assert.equal(replies.find(({ status }) => status === 502)?.headers["x-lb-error"], "reset");
  assert.deepEqual([resets.sockets.length, good.asked.length], [1, 1]);
});

test("a body too large to be kept is not sent twice, even by a PUT", async (t) => {
  let bytes = 0;
  const resets = await rawOrigin(t, (socket, chunk) => {
    bytes += chunk.length;
    if (bytes > 100_000) socket.resetAndDestroy();
  });
  const good = await origin(t, async (request, response) => response.end(String((await text(request)).length)));
  await tier.give(resets.port, good.port);
  const replies = await inTurn(2, () => ask(tier.port, { method: "PUT", body: "x".repeat(300_000) }));
  assert.deepEqual(replies.map(({ status, body }) => (status === 200 ? body : status)).sort(), ["300000", 502].sort());
  assert.equal(good.asked.length, 1);
});

test("a member that does not answer in time is a 504, and the request is not sent to another", async (t) => {
  const silent = await rawOrigin(t, () => {});
  const hasty = await startTier(t, [entry("proxy-1", silent.port)], { RESPONSE_TIMEOUT_MS: "200" });
  const { status, headers } = await ask(hasty.port);
  assert.deepEqual([status, headers["x-lb-error"]], [504, "response-timeout"]);
  assert.equal(silent.sockets.length, 1);
});

test("a member whose answer is not HTTP is a 502", async (t) => {
  const babbles = await rawOrigin(t, (socket) => void socket.end("220 mail.example ESMTP\r\n"));
  await tier.give(babbles.port);
  const { status, headers } = await ask(tier.port);
  assert.deepEqual([status, headers["x-lb-error"]], [502, "malformed"]);
});

test("where nobody serves, a request is a 503 that says when to come again, at once", async () => {
  await tier.publish([entry("proxy-1", await freePort(), { state: "starting" })]);
  await ask(tier.port);
  let fastestMs = Number.POSITIVE_INFINITY;
  for (const question of [{}, {}, {}, { method: "POST", body: "x".repeat(200_000) }]) {
    const started = performance.now();
    const { status, headers } = await ask(tier.port, question);
    fastestMs = Math.min(fastestMs, performance.now() - started);
    assert.deepEqual([status, headers["retry-after"], headers["x-lb-error"]], [503, "1", "no-member"]);
  }
  assert.ok(fastestMs < 100, `${fastestMs} ms`);
  const { status } = await ask(tier.adminPort, { path: "/readyz" });
  assert.equal(status, 503, "and the tier is not ready");
});

test("when every member has as much as it may, a request waits for a place, and past the queue it is a 503 at once", async (t) => {
  const answers: (() => void)[] = [];
  const slow = await origin(t, (request, response) => void answers.push(() => response.end(request.url)));
  const limits = { MEMBER_REQUESTS_MAX: "1", QUEUE_MAX: "1" };
  const full = await startTier(t, [entry("proxy-1", slow.port)], limits);
  const replies = ["/1", "/2", "/3"].map((path) => ask(full.port, { path }));
  const first = await Promise.race(replies);
  assert.deepEqual([first.status, first.headers["x-lb-error"], first.headers["retry-after"]], [503, "overloaded", "1"]);
  assert.ok(slow.asked.length <= 1, "the member has one at a time");
  for (const index of [0, 1]) {
    const answer = await eventually(`request ${index + 1}`, () => answers[index]);
    answer();
  }
  assert.equal(slow.asked.length, 2);
  const statuses = (await Promise.all(replies)).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [200, 200, 503]);
});

test("a proxy that has nobody is passed over for one that has, and is not held to be out of reach", async (t) => {
  const server = await origin(t, async (request, response) => response.end(`got ${await text(request)}`));
  const members = [entry("server-4", server.port, { group: "2" })];
  const { balancer, proxies } = await startTwoTiers(t, members, { proxies: 2 });
  const replies = await inTurn(6, (index) => ask(balancer.port, { method: "POST", body: String(index) }));
  assert.deepEqual(
    replies.map(({ status, body }) => [status, body]),
    replies.map((_, index) => [200, `got ${index}`]),
  );
  assert.ok(
    replies.every(({ headers }) => headers["x-lb-error"] === undefined && headers["x-served-by"] === "server-4"),
  );

  await proxies[1]?.publish([entry("server-4", server.port, { group: "2", state: "down" })]);
  const { status, headers } = await ask(balancer.port);
  assert.deepEqual([status, headers["x-lb-error"], headers["retry-after"]], [503, "no-member", "1"]);
  assert.deepEqual(suspects(balancer), []);
});

test("a proxy whose servers have all just died is passed over for one that has a server, and is not held to be out of reach", async (t) => {
  const server = await named(t, "server-4");
  const gone = [await freePort(), await freePort()];
  const { balancer, proxies } = await startTwoTiers(t, [entry("server-4", server.port, { group: "2" })], {
    proxies: 2,
  });
  await proxies[0]?.publish(gone.map((port, index) => entry(`server-${index + 1}`, port, { group: "1" })));
  const replies = await inTurn(6, () => ask(balancer.port, { method: "POST", body: "once" }));
  assert.deepEqual(
    replies.map(({ status, headers }) => [status, headers["x-served-by"]]),
    replies.map(() => [200, "server-4"]),
  );
  assert.deepEqual(suspects(balancer), []);

  await proxies[1]?.publish([entry("server-4", gone[0] as number, { group: "2" })]);
  const { status, headers } = await ask(balancer.port);
  assert.deepEqual([status, headers["x-lb-error"], headers["x-lb-left"]], [502, "refused", "0"]);
});

test("a 503 of a server's own is its answer, passed on and not tried again", async (t) => {
  const busy = await origin(t, (_request, response) => response.writeHead(503, { "Retry-After": "9" }).end("busy"));
  await tier.give(busy.port, busy.port);
  const { status, body, headers } = await ask(tier.port);
  assert.deepEqual([status, body, headers["retry-after"]], [503, "busy", "9"]);
  assert.equal(busy.asked.length, 1);
});

test("a member that begins to drain finishes what it has and gets nothing new", async (t) => {
  let answer = () => {};
  const draining = await origin(t, (_request, response) => {
    answer = () => response.end("finished");
  });
  const next = await named(t, "next");
  const [id] = await tier.give(draining.port);
  // A GET would move on once the member is gone (tier-lost-members.test.ts).
  const inFlight = ask(tier.port, { method: "POST" });
  await eventually("the request", () => draining.asked.length === 1);
  await tier.publish([entry(id, draining.port, { state: "draining" }), entry("proxy-next", next.port)]);
  assert.deepEqual(await inTurn(3, async () => (await ask(tier.port)).body), ["next", "next", "next"]);
  await tier.publish([entry("proxy-next", next.port)]);
  answer();
  assert.equal((await inFlight).body, "finished");
});
