// The link between a balancer and a proxy, in the tier: who may open one, what a refused head does, and what becomes of requests when
// it breaks or is not there. How the link itself works is in test/link/.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { DATA, END, HEAD } from "../../services/link/frames.ts";
import { linkRequest, SWITCHING } from "../../services/link/negotiation.ts";
import { frame } from "../link/frames.ts";
import { hello } from "../link/raw-peer.ts";
import { eventually } from "../tools/eventually.ts";
import { ask, inTurn } from "../tools/http/ask.ts";
import { gauge, idle, series } from "../tools/http/metrics.ts";
import { named, origin } from "../tools/http/origin.ts";
import { listening } from "../tools/ports.ts";
import { startTier, startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import type { Scope } from "../tools/scope.ts";
import { statusOf } from "../tools/wire/http-bytes.ts";
import { RawClient } from "../tools/wire/raw-client.ts";

const linksOf = ({ adminPort }: TierProcess) => gauge(adminPort, "evenkeel_links_open");

async function linked(tier: TierProcess, count = 1): Promise<void> {
  await eventually(`${count} links`, async () => (await linksOf(tier)) === count);
}

async function client(t: Scope, port: number): Promise<RawClient> {
  const raw = await RawClient.to(port);
  t.after(() => raw.close());
  return raw;
}

const server = (port: number) => entry("server-1", port, { group: "1" });

test("a head that only the proxy refuses is its answer, and nothing is held against the proxy", async (t) => {
  const { port } = await named(t, "server");
  const proxy = await startTier(t, [server(port)], { ROLE: "proxy", ID: "proxy-1", GROUP: "1", HEADERS_MAX: "10" });
  const member = entry("proxy-1", proxy.port, { adminPort: proxy.adminPort, link: 1 });
  const balancer = await startTier(t, [member], { HEADERS_MAX: "1000" });
  await linked(balancer);
  const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`x-${index}`, "1"]));
  const replies = await inTurn(8, () => ask(balancer.port, { headers: many }));
  assert.deepEqual(
    replies.map(({ status, headers }) => [status, headers["x-lb-error"]]),
    replies.map(() => [431, "headers"]),
  );
  assert.equal((await ask(balancer.port)).body, "server");
  assert.deepEqual([await gauge(balancer.adminPort, "evenkeel_members_serving"), await linksOf(balancer)], [1, 1]);
  assert.equal((await series(proxy.adminPort)).get('evenkeel_requests_total{method="OTHER",code="431"}'), 8);
});

test("a head too long for the link goes over HTTP/1.1, and the proxy says that it is too long", async (t) => {
  const { port } = await named(t, "server");
  const short = { ROLE: "proxy", ID: "proxy-1", GROUP: "1", HEADER_BYTES_MAX: "2048" };
  const proxy = await startTier(t, [server(port)], short);
  const balancer = await startTier(t, [entry("proxy-1", proxy.port, { adminPort: proxy.adminPort, link: 1 })]);
  await linked(balancer);
  const replies = await inTurn(8, () => ask(balancer.port, { headers: { "x-long": "x".repeat(8_000) } }));
  assert.deepEqual(
    replies.map(({ status }) => status),
    replies.map(() => 431),
  );
  assert.equal((await ask(balancer.port)).body, "server");
  assert.equal(await linksOf(balancer), 1);
});

test("the longest Host there is goes through both tiers, and a longer one is refused", async (t) => {
  const { port } = await named(t, "server");
  const { balancer } = await startTwoTiers(t, [server(port)]);
  await linked(balancer);
  const head = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
  const raw = await client(t, balancer.port);
  raw.send(head(`${"h".repeat(255)}:12345`));
  assert.equal(statusOf(await raw.final()), 200);
  raw.send(head("h".repeat(256)));
  assert.equal(statusOf(await raw.final()), 400);
});

test("to a client a balancer speaks no link, alone or beside another protocol", async (t) => {
  const { port } = await named(t, "server");
  const { balancer, proxies } = await startTwoTiers(t, [server(port)]);
  await linked(balancer);
  for (const upgrade of ["evenkeel-link/1", "evenkeel-link/2, evenkeel-link/1", "Evenkeel-Link/1, h2c"]) {
    const raw = await client(t, balancer.port);
    raw.send(linkRequest("a").replace("evenkeel-link/1", upgrade));
    assert.equal(statusOf(await raw.final()), 200, upgrade);
  }
  // To the proxy itself it is spoken.
  const raw = await client(t, (proxies[0] as TierProcess).port);
  raw.send(linkRequest("a"));
  assert.equal(statusOf(await raw.response()), 101);
});

test("a body over the link that is longer or shorter than it said is a 400, and nothing of it stays", async (t) => {
  const { port } = await named(t, "server");
  const proxy = await startTier(t, [server(port)], { ROLE: "proxy", ID: "proxy-1", GROUP: "1" });
  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";
  const bodies = {
    longer: (id: number) => [frame(DATA, id, "12345"), frame(DATA, id, "123456")],
    shorter: (id: number) => [frame(DATA, id, "12345"), frame(END, id)],
  };
  for (const [what, bodyOf] of Object.entries(bodies)) {
    const raw = await client(t, proxy.port);
    raw.send(linkRequest("a"));
    assert.equal(statusOf(await raw.response()), 101);
    const streams = [1, 3, 5].flatMap((id) => [frame(HEAD, id, post), ...bodyOf(id)]);
    raw.send(Buffer.concat([hello(), ...streams]).toString("latin1"));
    await raw.has("HTTP/1.1 400");
    await idle(proxy.adminPort);
    const counted = (await series(proxy.adminPort)).get('evenkeel_requests_total{method="POST",code="400"}');
    assert.equal(counted, what === "longer" ? 3 : 6);
  }
});

test("what comes in one segment with the request for a link may be anything, and ends no more than the link", async (t) => {
  const { port } = await named(t, "server");
  const proxy = await startTier(t, [server(port)], { ROLE: "proxy", ID: "proxy-1", GROUP: "1" });
  const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (const early of [
    Buffer.from("no frame at all"),
    hello({ version: 9 }),
    Buffer.concat([hello(), hello()]),
    Buffer.concat([hello(), frame(DATA, 0, "of no stream")]),
    Buffer.concat([hello(), frame(HEAD, 1, get), frame(HEAD, 1, get)]),
  ]) {
    const raw = await client(t, proxy.port);
    raw.send(linkRequest("a") + early.toString("latin1"));
    assert.equal(statusOf(await raw.response()), 101);
    await raw.ending();
    assert.equal((await ask(proxy.port)).body, "server");
  }
  await idle(proxy.adminPort);
});

test("a final head that is a 1xx is none, whoever sends it over the link", async (t) => {
  const behind = createServer((socket) => {
    socket
      .on("error", () => {})
      .once("data", () => {
        socket.write(Buffer.concat([Buffer.from(SWITCHING), hello()]));
        // The balancer's first stream.
        socket.on("data", (bytes: Buffer) => {
          if (!bytes.includes("GET /")) return;
          const answer = "HTTP/1.1 103 Early\r\n\r\n";
          socket.write(Buffer.concat([frame(HEAD, 1, answer), frame(END, 1)]));
        });
      });
  });
  const balancer = await startTier(t, [entry("proxy-1", await listening(t, behind), { link: 1 })]);
  await linked(balancer);
  const raw = await client(t, balancer.port);
  raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.equal(statusOf(await raw.response()), 502);
});

test("with LINK=no on either side everything goes over HTTP/1.1", async (t) => {
  const { port } = await named(t, "server");
  const proxy = { ROLE: "proxy", ID: "proxy-1", GROUP: "1" };
  for (const [ours, theirs] of [
    ["no", "yes"],
    ["yes", "no"],
  ] as const) {
    const behind = await startTier(t, [server(port)], { ...proxy, LINK: theirs });
    const balancer = await startTier(t, [entry("proxy-1", behind.port, { link: 1 })], { LINK: ours });
    assert.equal((await ask(balancer.port)).body, "server");
    assert.equal(await linksOf(balancer), 0);
  }
});

test("what no server has answered when a proxy dies is asked of another, and the link comes back with the proxy", async (t) => {
  const held = new Set<() => void>();
  let holding = true;
  const { port, asked } = await origin(t, (_request, response) => {
    if (holding) held.add(() => response.end("late"));
    else response.end("server");
  });
  const servers = ["1", "2"].map((group) => entry(`server-${group}`, port, { group }));
  const { balancer, proxies } = await startTwoTiers(t, servers, { proxies: 2 });
  await linked(balancer, 2);
  const replies = Array.from({ length: 20 }, () => ask(balancer.port));
  await eventually("all of them are with the server", () => asked.length === 20);
  holding = false;
  const [dying] = proxies as [TierProcess, TierProcess];
  process.kill(dying.child.pid as number, "SIGKILL");
  await linked(balancer, 1);
  for (const answer of held) answer();
  const bodies = (await Promise.all(replies)).map(({ status, body }) => `${status} ${body}`).sort();
  assert.deepEqual(bodies, [...Array(10).fill("200 late"), ...Array(10).fill("200 server")]);
});
