// Requests that wait because every member is full, on real sockets: whom a place that comes free goes to, what a client that leaves or a
// member that comes changes for them, and when a proxy is full.

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask, rawClient } from "../tools/http/ask.ts";
import { named, type Origin, origin } from "../tools/http/origin.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope, type Scope } from "../tools/scope.ts";

/** One proxy for the whole file, whose members take one request each, and two may wait. */
const scope = fileScope();
let tier: TierProcess;

before(async () => {
  const limits = { MEMBER_REQUESTS_MAX: "1", QUEUE_MAX: "2", QUEUE_TIMEOUT_MS: "30000", RESPONSE_TIMEOUT_MS: "1500" };
  tier = await startTier(scope, [], { ROLE: "proxy", ID: "proxy-1", ...limits });
});

interface Busy extends Origin {
  /** The answers that it owes. */
  readonly owed: ServerResponse[];
}

/** A server that answers when it is told to. */
async function busy(t: Scope): Promise<Busy> {
  const owed: ServerResponse[] = [];
  return { ...(await origin(t, (_request, response) => void owed.push(response))), owed };
}

let count = 0;

/** The only member, with one request at it. */
async function full(t: Scope) {
  const server = await busy(t);
  count += 1;
  const member = entry(`server-${count}`, server.port);
  await tier.publish([member]);
  const first = ask(tier.port, { path: "/first" });
  await eventually("it has the first request", () => server.owed.length === 1);
  return { server, member, first };
}

const pathsAt = ({ asked }: Origin) => asked.map(({ url }) => url);

/** Sends a request that has to wait, and returns when the tier has it. */
async function waits(t: Scope, path: string, head = "") {
  const client = await rawClient(t, tier.port);
  client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n${head}\r\n`);
  // The tier reads its connections in the order in which they are written to.
  await ask(tier.adminPort, { path: "/healthz" });
  return client;
}

test("a client that leaves while it waits keeps no place: the next that waits is served, and another may wait", async (t) => {
  const { server, first } = await full(t);
  const left = await Promise.all([waits(t, "/left"), waits(t, "/left")]);
  for (const { socket } of left) socket.destroy();
  await eventually("they are gone", async () => {
    const { body } = await ask(tier.adminPort, { path: "/metrics" });
    return /^evenkeel_requests_in_flight 1$/m.test(body);
  });
  const next = await waits(t, "/next");
  server.owed[0]?.end("first");
  assert.equal((await first).body, "first");
  await eventually("it has the next", () => server.owed.length === 2);
  server.owed[1]?.end("next");
  await next.until(/200 OK[\s\S]*next/);
  assert.deepEqual(pathsAt(server), ["/first", "/next"]);
});

test("a client that ends its side while it waits is told at once that it is not served", async (t) => {
  const { server, first } = await full(t);
  const waiting = await waits(t, "/waits");
  waiting.socket.end();
  await waiting.until(/503[\s\S]*X-LB-Error: overloaded/);
  server.owed[0]?.end("first");
  await first;
  assert.deepEqual(pathsAt(server), ["/first"]);
});

test("an upgrade whose client leaves while it waits reaches no member", async (t) => {
  const { server, first } = await full(t);
  const left = await waits(t, "/left", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
  left.socket.destroy();
  const next = await waits(t, "/next");
  server.owed[0]?.end("first");
  await first;
  await eventually("it has the next", () => server.owed.length === 2);
  server.owed[1]?.end("next");
  await next.until(/200 OK[\s\S]*next/);
  assert.deepEqual(pathsAt(server), ["/first", "/next"]);
});

test("a member that comes serves those that wait at once", async (t) => {
  const { server, member, first } = await full(t);
  const waiting = await Promise.all([waits(t, "/1"), waits(t, "/2")]);
  const other = await named(t, "other");
  count += 1;
  await tier.publish([member, entry(`server-${count}`, other.port)]);
  for (const client of waiting) await client.until(/200 OK[\s\S]*other/);
  server.owed[0]?.end("first");
  await first;
});

test("what fills a full member's slot anew serves those that wait at once", async (t) => {
  const { server, member, first } = await full(t);
  const waiting = await waits(t, "/waits");
  const healed = await named(t, "healed");
  await tier.publish([{ ...member, port: healed.port, generation: 2 }]);
  await waiting.until(/200 OK[\s\S]*healed/);
  server.owed[0]?.end("first");
  await first;
  assert.deepEqual(pathsAt(server), ["/first"]);
});

test("those that wait are told at once when nobody is left to wait for", async (t) => {
  const { server, member, first } = await full(t);
  const waiting = await waits(t, "/waits");
  await tier.publish([{ ...member, state: "draining" }]);
  await waiting.until(/503[\s\S]*X-LB-Error: no-member/);
  server.owed[0]?.end("first");
  await first;
});

test("a member has the whole response time-out for a request that waited for it", async (t) => {
  const { server, first } = await full(t);
  const waiting = await waits(t, "/waits");
  const begunMs = performance.now();
  await eventually("most of the time is over", () => performance.now() - begunMs > 1_000);
  server.owed[0]?.end("first");
  await first;
  await eventually("it has the second", () => server.owed.length === 2);
  const sentMs = performance.now();
  await eventually("more than was left is over", () => performance.now() - sentMs > 900);
  server.owed[1]?.end("second");
  await waiting.until(/200 OK[\s\S]*second/);
});

test("requests that come in one segment keep to what a member may work on at a time", async (t) => {
  const server = await busy(t);
  count += 1;
  await tier.publish([entry(`server-${count}`, server.port)]);
  const client = await rawClient(t, tier.port);
  client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n");
  for (const [index, path] of ["/a", "/b", "/c"].entries()) {
    await eventually(`it has ${path}`, () => server.owed.length === index + 1);
    assert.equal(server.asked.at(-1)?.url, path);
    server.owed[index]?.end(path);
    await client.until(new RegExp(path));
  }
});

test("a proxy is sent as much as its servers work on together, and no request waits before they are full", async (t) => {
  const limits = { MEMBER_REQUESTS_MAX: "1", QUEUE_MAX: "0" };
  const { balancer, proxies } = await startTwoTiers(t, [], { environment: limits });
  const servers = await Promise.all([busy(t), busy(t), busy(t)]);
  const [proxy] = proxies as [TierProcess];
  const front = entry("proxy-1", proxy.port, { adminPort: proxy.adminPort, link: 1, group: "1" });
  const members = servers.map(({ port }, index) => entry(`server-${index + 1}`, port, { group: "1" }));
  for (const each of [proxy, balancer]) await each.publish([front, ...members]);
  const answers: Promise<{ body: string }>[] = [];
  for (const _ of servers) {
    const owed = () => servers.flatMap((server) => server.owed).length;
    answers.push(ask(balancer.port));
    await eventually("a server has it", () => owed() === answers.length);
  }
  const { status, headers } = await ask(balancer.port);
  assert.deepEqual([status, headers["x-lb-error"]], [503, "overloaded"]);
  for (const { owed } of servers) owed[0]?.end("served");
  assert.deepEqual(
    (await Promise.all(answers)).map(({ body }) => body),
    ["served", "served", "served"],
  );
});

test("a place that comes free is used at once, also where a proxy has more servers than when its request came", async (t) => {
  const proxy = await busy(t);
  const behind = (count: number) => [
    entry("proxy-1", proxy.port, { group: "1" }),
    ...Array.from({ length: count }, (_, index) => entry(`server-${index + 1}`, 9001 + index, { group: "1" })),
  ];
  const balancer = await startTier(t, behind(1), { MEMBER_REQUESTS_MAX: "1" });
  const answers: Promise<unknown>[] = [];
  const comes = async (count: number) => {
    answers.push(ask(balancer.port));
    await eventually(`the proxy has ${count}`, () => proxy.owed.length === count);
  };
  await comes(1);
  await balancer.publish(behind(2));
  await comes(2);
  answers.push(ask(balancer.port));
  const waiting = async () =>
    /evenkeel_queue_length(\{[^}]*\})? 1$/m.test((await ask(balancer.adminPort, { path: "/metrics" })).body);
  await eventually("the third waits", waiting);
  proxy.owed[0]?.end("first");
  await eventually("the proxy has it", () => proxy.owed.length === 3);
  for (const response of proxy.owed.slice(1)) response.end("later");
  await Promise.all(answers);
});
