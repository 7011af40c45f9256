// Who falls silent in the middle holds nothing for long: a server in its answer or before it, a client in its body, both sides
// of a tunnel. Each limit is a setting, here a short one.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { before, test } from "node:test";
import { eventually, within } from "../tools/eventually.ts";
import { ask, begin, rawClient } from "../tools/http/ask.ts";
import { origin, type RawOrigin, rawOrigin } from "../tools/http/origin.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope, type Scope } from "../tools/scope.ts";
import { unreachable } from "../tools/wire/unreachable.ts";

const LIMITS = {
  CONNECT_TIMEOUT_MS: "500",
  RESPONSE_TIMEOUT_MS: "1000",
  IDLE_TIMEOUT_MS: "1000",
  TUNNEL_IDLE_TIMEOUT_MS: "1000",
};
const CLOSED_MS_MAX = 10_000;
const UPGRADE = "GET /t HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";
const SWITCHED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n";

const scope = fileScope();
let tier: TierProcess;

before(async () => {
  tier = await startTier(scope, [], { ROLE: "proxy", ID: "proxy-1", ...LIMITS });
});

const stalls: RequestListener = (request, response) => {
  request.resume().on("end", () => response.writeHead(200, { "Content-Length": "10" }).write("begun"));
};

for (const [what, method] of [
  ["a GET", "GET"],
  ["a new member's first POST", "POST"],
] as const) {
  test(`an answer to ${what} that stops in the middle is broken off`, async (t) => {
    const { port } = await origin(t, stalls);
    await tier.publish([entry("server-1", port)]);
    const response = await begin(tier.port, method === "POST" ? { method, body: "whole" } : {});
    await assert.rejects(within(CLOSED_MS_MAX, "the end", response.toArray()), { code: "ECONNRESET" });
  });
}

test("an upload that stops in the middle is cut off, and the server's work on it ended", async (t) => {
  let ended = false;
  const { port } = await origin(t, (request) => void request.on("error", () => {}).on("close", () => (ended = true)));
  await tier.publish([entry("server-1", port)]);
  const client = await rawClient(t, tier.port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
  await within(CLOSED_MS_MAX, "the end", client.closed);
  await eventually("the server is told", () => ended);
});

/** A server that takes every upgrade, and is as silent as its client. */
async function switching(t: Scope): Promise<RawOrigin> {
  const server = await rawOrigin(t, (socket, bytes) => {
    const text = bytes.toString("latin1");
    socket.write(text.startsWith("GET ") ? SWITCHED : text);
  });
  await tier.publish([entry("server-1", server.port)]);
  return server;
}

test("a tunnel in which nobody says anything is closed on both sides", async (t) => {
  const server = await switching(t);
  const client = await rawClient(t, tier.port);
  client.send(UPGRADE);
  await client.until(/^HTTP\/1.1 101 /);
  await within(CLOSED_MS_MAX, "the end", client.closed);
  await eventually("the server's side is closed", () => server.sockets[0]?.destroyed);
});

test("a tunnel in which somebody speaks now and then stays open for longer than its limit", async (t) => {
  await switching(t);
  const client = await rawClient(t, tier.port);
  client.send(UPGRADE);
  await client.until(/^HTTP\/1.1 101 /);
  const untilMs = performance.now() + 2 * Number(LIMITS.TUNNEL_IDLE_TIMEOUT_MS);
  for (let said = 1; performance.now() < untilMs; said += 1) {
    client.send(`<${said}>`);
    await client.until(new RegExp(`<${said}>`));
  }
  client.send("<last>");
  await client.until(/<last>/);
});

test("a server that does not answer an upgrade is a 504", async (t) => {
  const silent = await rawOrigin(t, () => {});
  await tier.publish([entry("server-1", silent.port)]);
  const client = await rawClient(t, tier.port);
  client.send(UPGRADE);
  await client.until(/^HTTP\/1.1 504 Gateway Timeout\r\nX-LB-Error: response-timeout\r\n/);
  await within(CLOSED_MS_MAX, "the end", client.closed);
  await eventually("the server's side is closed", () => silent.sockets[0]?.destroyed);
});

test("a server that takes no connection is a 504 for an upgrade, and is taken out of traffic", async (t) => {
  const silent = await unreachable();
  t.after(() => silent.close());
  await tier.publish([entry("server-9", silent.port)]);
  const client = await rawClient(t, tier.port);
  client.send(UPGRADE);
  await client.until(/^HTTP\/1.1 504 Gateway Timeout\r\nX-LB-Error: connect-timeout\r\n/);
  await tier.event("member-failing", { member: "server-9" });
});

test("after all that requests are answered as before", async (t) => {
  const { port } = await origin(t, (_request, response) => response.end("ok"));
  await tier.publish([entry("server-1", port)]);
  assert.equal((await ask(tier.port)).body, "ok");
});
