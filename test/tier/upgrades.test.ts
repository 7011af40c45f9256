// Upgraded connections through two tiers: WebSocket both ways with its closing, refusals, what came with the handshake, and
// a tunnel that a change of the registry leaves alone.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { before, type TestContext, test } from "node:test";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { eventually, within } from "../tools/eventually.ts";
import { ask, rawClient } from "../tools/http/ask.ts";
import { gauge } from "../tools/http/metrics.ts";
import { named, rawOrigin } from "../tools/http/origin.ts";
import { freePort, HOST, listening } from "../tools/ports.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";
import { RawClient } from "../tools/wire/raw-client.ts";

const HANDSHAKE = [
  "GET /chat?room=1 HTTP/1.1",
  "Host: a",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
].join("\r\n");
/** A masked text frame that says "hi", with a mask of zeros. */
const HI = "\x81\x82\0\0\0\0hi";

const scope = fileScope();
let balancer: TierProcess;
let proxy: TierProcess;

before(async () => {
  const system = await startTwoTiers(scope, []);
  balancer = system.balancer;
  proxy = system.proxies[0] as TierProcess;
});

/** A server that sends back what comes, and keeps its side of each tunnel for the test. */
async function echo(t: TestContext): Promise<{ sockets: WebSocket[]; heads: string[][] }> {
  const server = createServer();
  const sockets: WebSocket[] = [];
  const heads: string[][] = [];
  new WebSocketServer({ server }).on("connection", (socket, request) => {
    sockets.push(socket);
    heads.push([request.url ?? "", ...request.rawHeaders]);
    socket.on("message", (data: RawData, binary: boolean) => socket.send(data, { binary }));
  });
  await proxy.publish([entry("server-1", await listening(t, server, 0))]);
  return { sockets, heads };
}

async function open(t: TestContext, protocols: string[] = [], headers = {}): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${HOST}:${balancer.port}/chat?room=1`, protocols, { headers });
  t.after(() => socket.terminate());
  await within(5_000, "the handshake", once(socket, "open"));
  return socket;
}

async function said(socket: WebSocket, ...message: [string | Buffer]): Promise<[Buffer, boolean]> {
  const answer = once(socket, "message");
  socket.send(...message);
  return (await within(5_000, "an echo", answer)) as [Buffer, boolean];
}

test("text and bytes go both ways, small and large, and the closing with its code and reason too", async (t) => {
  const { sockets } = await echo(t);
  const socket = await open(t);
  const large = Buffer.alloc(1024 * 1024, "x");
  assert.deepEqual(await said(socket, "hello"), [Buffer.from("hello"), false]);
  assert.deepEqual(await said(socket, large), [large, true]);
  const heard = once(sockets[0] as WebSocket, "close");
  socket.close(4001, "enough");
  const [code, reason] = await within(5_000, "the closing", heard);
  assert.deepEqual([code, String(reason)], [4001, "enough"]);
});

test("a server that closes a tunnel closes it for the client", async (t) => {
  const { sockets } = await echo(t);
  const [polite, rude] = [await open(t), await open(t)];
  const closings = [once(polite, "close"), once(rude, "close")];
  sockets[0]?.close(4002, "bye");
  sockets[1]?.terminate();
  const codes = (await within(5_000, "both closings", Promise.all(closings))).map(([code]) => code);
  assert.deepEqual(codes, [4002, 1006]);
});

test("of tunnels that either side has closed no tier keeps anything open", async (t) => {
  const { sockets } = await echo(t);
  for (const closer of ["client", "server"]) {
    const clients = await Promise.all(Array.from({ length: 20 }, () => open(t)));
    const closed = clients.map((socket) => once(socket, "close"));
    for (const socket of closer === "client" ? clients : sockets.splice(0)) socket.close();
    await within(5_000, "the closing", Promise.all(closed));
    for (const { adminPort } of [balancer, proxy]) {
      const openUpgrades = async () => (await gauge(adminPort, "evenkeel_upgrades_open")) === 0;
      await eventually(`none is open, closed by the ${closer}`, openUpgrades);
    }
    sockets.length = 0;
  }
});

test("a client that vanishes ends the tunnel at the server", async (t) => {
  const { sockets } = await echo(t);
  const socket = await open(t);
  const ended = once(sockets[0] as WebSocket, "close");
  socket.terminate();
  await within(5_000, "the end at the server", ended);
});

test("the handshake passes the path and what is of the way, and nothing of the hop", async (t) => {
  const { heads } = await echo(t);
  await open(t, ["chat.v1"], { "X-Forwarded-For": "1.2.3.4", "Keep-Alive": "timeout=9", "X-Kept": "yes" });
  const [url, ...raw] = heads[0] as string[];
  const sent = new Map(raw.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), raw[index + 1]]] : [])));
  assert.equal(url, "/chat?room=1");
  assert.equal(sent.get("via"), "1.1 balancer, 1.1 proxy-1");
  assert.equal(sent.get("x-forwarded-for"), HOST);
  assert.equal(sent.get("sec-websocket-protocol"), "chat.v1");
  assert.equal(sent.get("upgrade"), "websocket");
  assert.deepEqual([sent.get("x-kept"), sent.has("keep-alive")], ["yes", false]);
});

test("headers keep their names, be they those of what every object has, and their lines", async (t) => {
  const { heads } = await echo(t);
  const client = await rawClient(t, balancer.port);
  client.send(`${HANDSHAKE}\r\nConstructor: a\r\n__proto__: b\r\ntoString: c\r\nX-A: 1\r\nx-a: 2\r\n\r\n`);
  await client.until(/^HTTP\/1\.1 101/);
  const [, ...flat] = heads[0] as string[];
  const valuesOf = (name: string) => flat.filter((_, at) => at % 2 === 1 && flat[at - 1]?.toLowerCase() === name);
  assert.deepEqual(["constructor", "__proto__", "tostring", "x-a"].map(valuesOf), [["a"], ["b"], ["c"], ["1", "2"]]);
});

test("bytes that come with the handshake are not lost", async (t) => {
  await echo(t);
  const client = await rawClient(t, balancer.port);
  client.send(`${HANDSHAKE}\r\n\r\n${HI}`);
  await client.until(/^HTTP\/1\.1 101 [\s\S]*?\r\n\r\n[\s\S]{2}hi$/);
});

test("a protocol that is not WebSocket is tunnelled as well", async (t) => {
  const server = await rawOrigin(t, (socket, bytes) => {
    const asked = bytes.toString("latin1").startsWith("GET ");
    socket.write(asked ? "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n" : bytes);
  });
  await proxy.publish([entry("server-1", server.port)]);
  const client = await rawClient(t, balancer.port);
  client.send("GET /attach HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
  await client.until(/^HTTP\/1\.1 101 [\s\S]*?\r\n\r\n/);
  client.send("\0raw\xff");
  await client.until(/\r\n\r\n\0raw\xff$/);
});

test("a server that refuses an upgrade refuses it to the client, with its status and its words", async (t) => {
  const server = createServer();
  server.on("upgrade", (_request, socket: Duplex) => {
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\nX-Why: members\r\nConnection: close\r\n\r\nnot a fan");
  });
  await proxy.publish([entry("server-1", await listening(t, server, 0))]);
  const client = await rawClient(t, balancer.port);
  client.send(`${HANDSHAKE}\r\n\r\n`);
  await within(5_000, "the end of the connection", client.closed);
  assert.match(client.received(), /^HTTP\/1\.1 403 [\s\S]*x-why: members[\s\S]*not a fan/i);
});

test("a refusal of an upgrade that stops in the middle is broken off, and one that is reset does not look whole", async (t) => {
  const short = await startTwoTiers(t, [], { environment: { IDLE_TIMEOUT_MS: "1000" } });
  for (const [length, resets] of [
    ["Content-Length: 100\r\n", false],
    ["", true],
  ] as const) {
    let answering: Socket | undefined;
    const server = await rawOrigin(t, (socket) => {
      answering = socket;
      socket.write(`HTTP/1.1 200 OK\r\n${length}\r\nhalf`);
    });
    await (short.proxies[0] as TierProcess).publish([entry("server-1", server.port)]);
    const client = await RawClient.to(short.balancer.port);
    t.after(() => client.close());
    client.send(`${HANDSHAKE}\r\n\r\n`);
    await client.has("half");
    if (resets) answering?.resetAndDestroy();
    assert.equal((await client.ending()).how, "reset");
  }
});

test("an offer of HTTP/2 is not taken up: the request is answered as the HTTP/1.1 that it is", async (t) => {
  const { port } = await named(t, "plain");
  await proxy.publish([entry("server-1", port)]);
  const headers = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__" };
  const { status, body } = await ask(balancer.port, { headers });
  assert.deepEqual([status, body], [200, "plain"]);
});

test("where nobody serves, an upgrade is a 503; where the server is out of reach, a 502", async (t) => {
  for (const [changes, answer] of [
    [{ state: "down" }, /^HTTP\/1\.1 503 [\s\S]*x-lb-error: no-member\r\n/i],
    [{}, /^HTTP\/1\.1 502 [\s\S]*x-lb-error: refused\r\n/i],
  ] as const) {
    await proxy.publish([entry("server-1", await freePort(), changes)]);
    const client = await rawClient(t, balancer.port);
    client.send(`${HANDSHAKE}\r\n\r\n`);
    await client.until(answer);
    await within(5_000, "the end of the connection", client.closed);
  }
});

test("an upgrade passes over a server that is out of reach, which is then out of traffic", async (t) => {
  const server = createServer();
  new WebSocketServer({ server });
  const there = await listening(t, server, 0);
  await proxy.publish([
    entry("server-7", await freePort()),
    entry("server-8", there),
    entry("server-9", await freePort()),
  ]);
  // Each of them is the first choice of some of these.
  for (let opened = 0; opened < 20; opened += 1) (await open(t)).close();
  for (const member of ["server-7", "server-9"])
    await proxy.event("member-failing", { member, reason: "ECONNREFUSED" });
});

test("a new registry leaves an open tunnel alone, even one that its server is no longer in", async (t) => {
  await echo(t);
  const socket = await open(t);
  assert.deepEqual(await said(socket, "before"), [Buffer.from("before"), false]);
  await proxy.publish([entry("server-2", (await named(t, "other")).port)]);
  assert.equal((await ask(balancer.port)).body, "other");
  assert.deepEqual(await said(socket, "after"), [Buffer.from("after"), false]);
});
