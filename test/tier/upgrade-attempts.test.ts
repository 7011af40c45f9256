// An upgrade goes through the same loop as a request: it is counted, logged and limited like one, it may be a half-open member's one
// request, and a member that is out of reach costs it nothing.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { eventually, within } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { gauge, series } from "../tools/http/metrics.ts";
import { named } from "../tools/http/origin.ts";
import { freePort, HOST, listening } from "../tools/ports.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import type { Scope } from "../tools/scope.ts";

const PROXY = { ROLE: "proxy", ID: "proxy-1", POLICY: "round-robin" };

/** A server that takes every upgrade. */
function upgrading(t: Scope, port = 0, answer: RequestListener = (_request, response) => void response.end()) {
  const server = createServer(answer);
  new WebSocketServer({ server });
  return listening(t, server, port);
}

function begin(t: Scope, { port }: TierProcess): WebSocket {
  const socket = new WebSocket(`ws://${HOST}:${port}/`);
  t.after(() => socket.terminate());
  return socket;
}

async function open(t: Scope, tier: TierProcess): Promise<WebSocket> {
  const socket = begin(t, tier);
  await within(5_000, "the handshake", once(socket, "open"));
  return socket;
}

test("an upgrade that a member could not be sent is logged and counted, and made at another", async (t) => {
  const [gone, there] = [await freePort(), await upgrading(t)];
  const tier = await startTier(t, [entry("server-1", gone), entry("server-2", there)], PROXY);
  await open(t, tier);
  await open(t, tier);
  const { failed } = await tier.event("request-retried");
  assert.deepEqual(failed, [{ member: "server-1", failure: "refused", reason: "ECONNREFUSED" }]);
  const counted = await series(tier.adminPort);
  assert.equal(
    counted.get('evenkeel_upstream_failures_total{upstream="server-1",pool="servers",failure="refused"}'),
    1,
  );
  assert.equal(counted.get('evenkeel_retries_total{pool="servers"}'), 1);
});

test("an upgrade is counted when it is answered, and among the open ones while it is open", async (t) => {
  const tier = await startTier(t, [entry("server-1", await upgrading(t))], PROXY);
  const socket = await open(t, tier);
  const counted = await series(tier.adminPort);
  assert.equal(counted.get('evenkeel_requests_total{method="GET",code="101"}'), 1);
  assert.equal(await gauge(tier.adminPort, "evenkeel_upgrades_open"), 1);
  assert.equal(await gauge(tier.adminPort, "evenkeel_requests_in_flight"), 0);
  socket.terminate();
  await eventually("none is open", async () => (await gauge(tier.adminPort, "evenkeel_upgrades_open")) === 0);
});

test("an upgrade may be the one request of a half-open member, and brings it back", async (t) => {
  const port = await freePort();
  const other = await upgrading(t);
  const tier = await startTier(t, [entry("server-1", port), entry("server-2", other)], PROXY);
  await open(t, tier);
  await open(t, tier);
  await tier.event("member-failing", { member: "server-1" });
  await upgrading(t, port);
  await tier.event("member-half-open", { member: "server-1" });
  await open(t, tier);
  await tier.event("member-recovered", { member: "server-1" });
});

test("an upgrade waits while every member works on as many requests as it may, and holds no capacity once open", async (t) => {
  let answer = () => {};
  const busy: RequestListener = (_request, response) => {
    answer = () => response.end("done");
  };
  const port = await upgrading(t, 0, busy);
  const tier = await startTier(t, [entry("server-1", port)], { ...PROXY, MEMBER_REQUESTS_MAX: "1" });
  const reply = ask(tier.port);
  await eventually(
    "it is at the server",
    async () => (await gauge(tier.adminPort, "evenkeel_requests_in_flight")) === 1,
  );
  const waiting = begin(t, tier);
  const opened = once(waiting, "open");
  await eventually("both are here", async () => (await gauge(tier.adminPort, "evenkeel_requests_in_flight")) === 2);
  assert.equal(waiting.readyState, WebSocket.CONNECTING);
  answer();
  assert.equal((await reply).body, "done");
  await within(5_000, "the handshake", opened);
  await open(t, tier);
});

test("least-requests sees open upgrades", async (t) => {
  const [busy, free] = [await upgrading(t), await named(t, "free")];
  const tier = await startTier(t, [entry("server-1", busy)], { ...PROXY, POLICY: "least-requests" });
  for (let opened = 0; opened < 5; opened += 1) await open(t, tier);
  await tier.publish([entry("server-1", busy), entry("server-2", free.port)]);
  for (let asked = 0; asked < 10; asked += 1) assert.equal((await ask(tier.port)).body, "free");
});
