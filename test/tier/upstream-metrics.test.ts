// What a tier counts of its pools and of their members, on real tiers: every attempt once, at the member that it was sent to.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import type { RegistryPool } from "../../services/registry/document.ts";
import { eventually, within } from "../tools/eventually.ts";
import { ask, inTurn, rawClient } from "../tools/http/ask.ts";
import { idle, series } from "../tools/http/metrics.ts";
import { named, origin, rawOrigin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { childrenOf } from "../tools/process/pids.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import type { Scope } from "../tools/scope.ts";

const PROXY = { ROLE: "proxy", ID: "proxy-1" };

/** The values of a metric, under the labels that are not given. */
async function counted(
  { adminPort }: Pick<TierProcess, "adminPort">,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<Record<string, number>> {
  const given = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const found: Record<string, number> = {};
  for (const [text, value] of await series(adminPort)) {
    const [, its, inside = ""] = /^([a-z_]+)(?:\{(.*)\})?$/.exec(text) ?? [];
    const pairs = inside.split(",");
    if (its !== name || !given.every((pair) => pairs.includes(pair))) continue;
    found[pairs.filter((pair) => !given.includes(pair)).join(",")] = value;
  }
  return found;
}

const sum = (values: Readonly<Record<string, number>>) => Object.values(values).reduce((total, one) => total + one, 0);

async function upgrading(scope: Scope): Promise<number> {
  const sockets = new WebSocketServer({ host: HOST, port: 0 });
  scope.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    sockets.close();
  });
  await once(sockets, "listening");
  return (sockets.address() as { port: number }).port;
}

test("every counter of a member is there before its first request, at 0", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("server-1", server.port)], PROXY);
  const of = { upstream: "server-1", pool: "servers" };
  const zeros = { 'code="1xx"': 0, 'code="2xx"': 0, 'code="3xx"': 0, 'code="4xx"': 0, 'code="5xx"': 0 };
  assert.deepEqual(await counted(tier, "evenkeel_upstream_requests_total", of), zeros);
  assert.deepEqual(await counted(tier, "evenkeel_pool_requests_total", { pool: "servers" }), zeros);
  const failures = await counted(tier, "evenkeel_upstream_failures_total", of);
  assert.equal(failures['failure="refused"'], 0);
  assert.equal(sum(failures), 0);
  for (const name of [
    "ejections_total",
    "request_bytes_total",
    "response_bytes_total",
    "request_duration_seconds_count",
  ])
    assert.deepEqual(await counted(tier, `evenkeel_upstream_${name}`, of), { "": 0 }, name);
  assert.deepEqual(await counted(tier, "evenkeel_retries_total", { pool: "servers" }), { "": 0 });
  assert.equal((await counted(tier, "evenkeel_requests_total", { method: "POST" }))['code="503"'], 0);
});

test("a request whose body turns out to be none is counted once, and so is what is no request at all", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("server-1", server.port)], PROXY);
  const post = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const bytes of [
    `${post}Transfer-Encoding: chunked\r\n\r\nno chunk\r\n`,
    `${post}Content-Length: 10\r\n\r\nhalf`,
    // Behind another that may change something, it has not been carried out when its client ends.
    `${post}Content-Length: 2\r\n\r\nok${post}Content-Length: 10\r\n\r\nhalf`,
    "junk\r\n\r\n",
  ]) {
    const client = await rawClient(t, tier.port);
    client.send(bytes);
    client.socket.end();
    await client.until(/HTTP\/1\.1 400 /);
  }
  await eventually("four that are no requests", async () => {
    return sum(await counted(tier, "evenkeel_requests_total", { code: "400" })) >= 4;
  });
  const all = await counted(tier, "evenkeel_requests_total");
  assert.deepEqual([sum(all), all['method="POST",code="200"']], [5, 1]);
});

test("a request is counted once at its member, with its time and the bytes of both bodies", async (t) => {
  const server = await origin(t, (request, response) => {
    request.resume().on("end", () => response.writeHead(404).end("x".repeat(70_000)));
  });
  const tier = await startTier(t, [entry("server-1", server.port)], PROXY);
  await inTurn(3, () => ask(tier.port, { method: "POST", body: "y".repeat(1_000) }));
  const of = { upstream: "server-1", pool: "servers" };
  assert.equal((await counted(tier, "evenkeel_upstream_requests_total", of))['code="4xx"'], 3);
  assert.equal((await counted(tier, "evenkeel_pool_requests_total", { pool: "servers" }))['code="4xx"'], 3);
  for (const name of ["evenkeel_upstream_request_duration_seconds", "evenkeel_upstream_first_byte_seconds"]) {
    assert.deepEqual(await counted(tier, `${name}_count`, of), { "": 3 });
    assert.deepEqual(await counted(tier, `${name}_bucket`, { ...of, le: "10" }), { "": 3 });
  }
  assert.deepEqual(await counted(tier, "evenkeel_upstream_request_bytes_total", of), { "": 3_000 });
  assert.deepEqual(await counted(tier, "evenkeel_upstream_response_bytes_total", of), { "": 210_000 });
});

test("a failed attempt is its member's, the answer and the retry are counted beside it", async (t) => {
  const [gone, there] = [await freePort(), await named(t, "there")];
  const tier = await startTier(t, [entry("server-1", gone), entry("server-2", there.port)], {
    ...PROXY,
    POLICY: "round-robin",
  });
  const replies = await inTurn(4, () => ask(tier.port));
  assert.deepEqual(new Set(replies.map(({ body }) => body)), new Set(["there"]));
  const one = { upstream: "server-1", pool: "servers" };
  assert.equal((await counted(tier, "evenkeel_upstream_requests_total", one))['code="5xx"'], 1);
  assert.equal((await counted(tier, "evenkeel_upstream_failures_total", one))['failure="refused"'], 1);
  assert.deepEqual(await counted(tier, "evenkeel_upstream_ejections_total", one), { "": 1 });
  assert.deepEqual(await counted(tier, "evenkeel_upstream_ejected"), {
    'upstream="server-1",pool="servers"': 1,
    'upstream="server-2",pool="servers"': 0,
  });
  const other = { upstream: "server-2", pool: "servers" };
  assert.equal((await counted(tier, "evenkeel_upstream_requests_total", other))['code="2xx"'], 4);
  const pool = await counted(tier, "evenkeel_pool_requests_total", { pool: "servers" });
  assert.deepEqual([pool['code="2xx"'], pool['code="5xx"']], [4, 0]);
  assert.deepEqual(await counted(tier, "evenkeel_retries_total"), { 'pool="servers"': 1 });
});

test("what no attempt answers is a failure of its pool", async (t) => {
  const tier = await startTier(t, [entry("server-1", await freePort())], PROXY);
  assert.equal((await ask(tier.port)).status, 502);
  await tier.publish([entry("server-1", await freePort(), { state: "down" })]);
  assert.equal((await ask(tier.port)).status, 503);
  const failures = await counted(tier, "evenkeel_pool_failures_total", { pool: "servers" });
  assert.deepEqual([failures['failure="refused"'], failures['failure="no-member"'], sum(failures)], [1, 1, 2]);
  assert.equal((await counted(tier, "evenkeel_pool_requests_total", { pool: "servers" }))['code="5xx"'], 2);
});

test("a response that breaks off is an error of its member, not the 200 that it began with", async (t) => {
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this";
  const server = await rawOrigin(t, (socket) => void socket.write(head, () => socket.destroy()));
  const tier = await startTier(t, [entry("server-1", server.port)], PROXY);
  await assert.rejects(ask(tier.port));
  await idle(tier.adminPort);
  const of = { upstream: "server-1", pool: "servers" };
  const classes = await counted(tier, "evenkeel_upstream_requests_total", of);
  assert.deepEqual([classes['code="2xx"'], classes['code="5xx"']], [0, 1]);
  assert.equal((await counted(tier, "evenkeel_upstream_failures_total", of))['failure="truncated"'], 1);
});

test("an upgrade is counted at its answer, and is under way at its member until it ends", async (t) => {
  const tier = await startTier(t, [entry("server-1", await upgrading(t))], PROXY);
  const socket = new WebSocket(`ws://${HOST}:${tier.port}`);
  t.after(() => socket.terminate());
  await within(5_000, "the handshake", once(socket, "open"));
  const of = { upstream: "server-1", pool: "servers" };
  const answered = async () => (await counted(tier, "evenkeel_upstream_requests_total", of))['code="1xx"'];
  assert.equal(await answered(), 1);
  assert.deepEqual(await counted(tier, "evenkeel_upstream_requests_in_flight", of), { "": 1 });
  socket.terminate();
  const inFlight = async () => (await counted(tier, "evenkeel_upstream_requests_in_flight", of))[""];
  await eventually("it is over", async () => (await inFlight()) === 0);
  assert.equal(await answered(), 1);
  assert.deepEqual(await counted(tier, "evenkeel_upstream_request_duration_seconds_count", of), { "": 1 });
  assert.equal((await counted(tier, "evenkeel_pool_requests_total", { pool: "servers" }))['code="1xx"'], 1);
});

test("those that wait for capacity are told of while they do, and how long they did", async (t) => {
  const held: (() => void)[] = [];
  const server = await origin(t, (_request, response) => void held.push(() => response.end("done")));
  const limits = { MEMBER_REQUESTS_MAX: "1", QUEUE_MAX: "1" };
  const tier = await startTier(t, [entry("server-1", server.port)], { ...PROXY, ...limits });
  const first = ask(tier.port);
  await eventually("it is at the server", () => held.length === 1);
  const second = ask(tier.port);
  const waiting = async () => (await counted(tier, "evenkeel_queue_length", { pool: "servers" }))[""];
  await eventually("one waits", async () => (await waiting()) === 1);
  assert.equal((await ask(tier.port)).status, 503);
  held.shift()?.();
  await eventually("the next is at the server", () => held.length === 1);
  held.shift()?.();
  assert.deepEqual(
    (await Promise.all([first, second])).map(({ body }) => body),
    ["done", "done"],
  );
  assert.equal(await waiting(), 0);
  assert.deepEqual(await counted(tier, "evenkeel_queue_wait_seconds_count"), { 'pool="servers"': 1 });
  const failures = await counted(tier, "evenkeel_pool_failures_total", { pool: "servers" });
  assert.equal(failures['failure="overloaded"'], 1);
});

test("a healed member keeps its counters, a retired one takes its series with it", async (t) => {
  const [before, after] = [await named(t, "before"), await named(t, "after")];
  const tier = await startTier(t, [entry("server-1", before.port)], PROXY);
  await ask(tier.port);
  await tier.publish([entry("server-1", after.port, { generation: 2 })]);
  assert.equal((await ask(tier.port)).body, "after");
  const of = { upstream: "server-1", pool: "servers" };
  assert.equal((await counted(tier, "evenkeel_upstream_requests_total", of))['code="2xx"'], 2);
  await tier.publish([entry("server-2", after.port)]);
  const left = [...(await series(tier.adminPort)).keys()].filter((text) => text.includes("upstream="));
  assert.notEqual(left.length, 0);
  assert.deepEqual(
    left.filter((text) => text.includes("server-1")),
    [],
  );
});

test("a member of two pools is counted in each, and a pool that goes takes its series with it", async (t) => {
  const server = await named(t, "server");
  const proxies = await startTier(t, [entry("server-1", server.port)], PROXY);
  const pool = (name: string): RegistryPool => ({ name, routes: [{ path: `/${name}` }] });
  const proxy = entry("proxy-1", proxies.port, { adminPort: proxies.adminPort });
  const behind = ["a", "b"].map((name) => entry(`app-${name}`, server.port, { pool: name }));
  const tier = await startTier(t, [proxy]);
  await tier.publish([proxy, ...behind], [pool("a"), pool("b")]);
  await inTurn(2, () => ask(tier.port, { path: "/a" }));
  await ask(tier.port, { path: "/b" });
  const requests = () => counted(tier, "evenkeel_upstream_requests_total", { upstream: "proxy-1", code: "2xx" });
  assert.deepEqual(await requests(), { 'pool="a"': 2, 'pool="b"': 1 });
  await tier.publish([proxy, ...behind], [pool("b")]);
  assert.deepEqual(await requests(), { 'pool="b"': 1 });
  const inFlight = await counted(tier, "evenkeel_upstream_requests_in_flight", { upstream: "proxy-1" });
  assert.deepEqual(inFlight, { 'pool="b"': 0 });
});

test("over a link attempts and bytes are counted as over HTTP/1.1", async (t) => {
  const server = await named(t, "server");
  const { balancer } = await startTwoTiers(t, [entry("server-1", server.port)]);
  const linked = async () => (await counted(balancer, "evenkeel_links_open"))[""] === 1;
  await eventually("the link", linked);
  await inTurn(5, () => ask(balancer.port, { method: "POST", body: "four" }));
  const of = { upstream: "proxy-1", pool: "servers" };
  assert.equal((await counted(balancer, "evenkeel_upstream_requests_total", of))['code="2xx"'], 5);
  assert.deepEqual(await counted(balancer, "evenkeel_upstream_request_bytes_total", of), { "": 20 });
  assert.deepEqual(await counted(balancer, "evenkeel_upstream_response_bytes_total", of), { "": 30 });
});

test("clients' connections are counted when they come, while they are open, and when they are one too many", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("server-1", server.port)], { ...PROXY, CONNECTIONS_MAX: "2" });
  const connect = async () => {
    const client = await rawClient(t, tier.port);
    client.send("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
    return {
      client,
      became: client.until(/200 OK/).then(
        () => "answered",
        () => "closed",
      ),
    };
  };
  const [first, second] = [await connect(), await connect()];
  assert.deepEqual([await first.became, await second.became], ["answered", "answered"]);
  assert.deepEqual(await counted(tier, "evenkeel_connections_open"), { "": 2 });
  assert.deepEqual(await counted(tier, "evenkeel_connections_total"), { "": 2 });
  assert.equal(await (await connect()).became, "closed");
  const refused = await counted(tier, "evenkeel_connections_refused_total");
  assert.deepEqual(refused, { 'limit="all"': 1, 'limit="client"': 0 });
});

test("connections to a member are counted when they are begun, when they are there, and while they are open", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("server-1", server.port)], PROXY);
  const of = { upstream: "server-1" };
  const opened = async () => (await counted(tier, "evenkeel_upstream_connections_total", of))[""];
  assert.equal(await opened(), 0);
  await inTurn(3, () => ask(tier.port));
  assert.equal(await opened(), 1);
  assert.deepEqual(await counted(tier, "evenkeel_upstream_connections_open", of), { "": 1 });
  assert.deepEqual(await counted(tier, "evenkeel_upstream_connect_seconds_count", of), { "": 1 });
  await tier.publish([entry("server-1", (await named(t, "next")).port, { generation: 2 })]);
  await ask(tier.port);
  assert.equal(await opened(), 2);
  await tier.publish([entry("server-1", await freePort(), { generation: 3 })]);
  assert.equal((await ask(tier.port)).status, 502);
  assert.equal(await opened(), 3);
  assert.deepEqual(await counted(tier, "evenkeel_upstream_connect_seconds_count", of), { "": 2 });
});

test("several workers tell the sum of what they counted of a member", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("server-1", server.port)], { ...PROXY, WORKERS: "2" });
  await inTurn(10, () => ask(tier.port));
  const of = { upstream: "server-1", pool: "servers" };
  assert.equal((await counted(tier, "evenkeel_upstream_requests_total", of))['code="2xx"'], 10);
  assert.deepEqual(await counted(tier, "evenkeel_upstream_request_duration_seconds_count", of), { "": 10 });
  assert.deepEqual(await counted(tier, "evenkeel_pool_requests_total", { code: "2xx" }), { 'pool="servers"': 10 });
});

test("what a worker had counted that is gone stays counted, until the member retires", async (t) => {
  const server = await named(t, "server");
  const tier = await startTier(t, [entry("server-1", server.port)], { ...PROXY, WORKERS: "2" });
  await inTurn(10, () => ask(tier.port));
  const of = { upstream: "server-1", pool: "servers" };
  const answered = async () => (await counted(tier, "evenkeel_upstream_requests_total", of))['code="2xx"'];
  // The primary has to have heard of them: it asks with each scrape.
  assert.equal(await answered(), 10);
  process.kill(childrenOf(tier.child.pid as number)[0] as number, "SIGKILL");
  await tier.event("worker-recovered");
  assert.equal(await answered(), 10);
  await tier.publish([entry("server-2", server.port)]);
  const hasGone = async () => (await answered()) === undefined;
  await eventually("its series are gone", hasGone);
});
