// What a stranger can take of an admin port: connections, time and work. Whoever looks after the member is answered all the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Gauge, Registry } from "prom-client";
import { adminListener } from "../../services/runtime/admin.ts";
import { adminServer } from "../../services/runtime/admin-server.ts";
import { eventually, within } from "../tools/eventually.ts";
import { ask, rawClient } from "../tools/http/ask.ts";
import { listening } from "../tools/ports.ts";
import type { Scope } from "../tools/scope.ts";

const CONNECTIONS_MAX = 64;
const STRANGER = "127.0.0.66";
const GET = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

async function started(scope: Scope) {
  const metrics = new Registry();
  let made = 0;
  new Gauge({
    name: "evenkeel_test",
    help: "For this test.",
    registers: [metrics],
    collect() {
      made += 1;
      this.set(made);
    },
  });
  const server = adminServer(adminListener({ ready: () => true, metrics }));
  const connections = () => new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  return { port: await listening(scope, server), connections, made: () => made };
}

test("at most 64 connections stay open, and who has one of few keeps it", async (t) => {
  const { port, connections } = await started(t);
  const probe = await rawClient(t, port);
  probe.send(GET);
  await probe.until(/alive/);
  for (let n = 0; n < 3 * CONNECTIONS_MAX; n += 1) await rawClient(t, port, STRANGER);
  await eventually("no more than 64 are open", async () => (await connections()) <= CONNECTIONS_MAX);
  probe.send(GET);
  await probe.until(/alive[\s\S]*alive/);
  assert.equal((await ask(port, { path: "/healthz" })).status, 200);
});

test("a head that does not end is cut off within seconds", async (t) => {
  const { port } = await started(t);
  const slow = await rawClient(t, port, STRANGER);
  slow.send("GET /healthz HTTP/1.1\r\nHost: ");
  await within(8_000, "the end of its connection", slow.closed);
});

test("metrics asked for by many at once are made once", async (t) => {
  const { port, made } = await started(t);
  const replies = await Promise.all(Array.from({ length: 50 }, () => ask(port, { path: "/metrics" })));
  assert.ok(replies.every(({ status }) => status === 200));
  // Fifty answers may take longer than the while for which one is good.
  assert.ok(made() <= 4, `${made()} times`);
});
