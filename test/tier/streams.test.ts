// Bodies on their way through two tiers: streamed both ways as they come and at the reader's pace, and broken off on one
// side when they are broken off on the other.

import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientRequest,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";
import { before, type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { eventually, within } from "../tools/eventually.ts";
import { begin, rawClient } from "../tools/http/ask.ts";
import { origin, rawOrigin } from "../tools/http/origin.ts";
import { HOST } from "../tools/ports.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const MEBIBYTE = 1024 * 1024;
/** More than all the sockets and streams on the way can hold. */
const ENDLESS_BYTES = 128 * MEBIBYTE;
const HELD_BYTES_MAX = 64 * MEBIBYTE;
/** How long nothing may move before it is taken to stand still. */
const STILL_MS = 200;

const scope = fileScope();
let balancer: TierProcess;
let proxy: TierProcess;

before(async () => {
  const system = await startTwoTiers(scope, []);
  balancer = system.balancer;
  proxy = system.proxies[0] as TierProcess;
});

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A server that does nothing: what it was asked, a test answers. */
async function manual(t: TestContext): Promise<() => Promise<Exchange>> {
  const exchanges: Exchange[] = [];
  await serve(t, (request, response) => void exchanges.push({ request, response }));
  return () => eventually("a request", () => exchanges.shift());
}

async function serve(t: TestContext, answer: RequestListener): Promise<void> {
  const { port } = await origin(t, answer);
  await proxy.publish([entry("server-1", port)]);
}

/** A request whose body the test writes. */
function open(t: TestContext, method = "POST"): ClientRequest {
  const upload = request({ host: HOST, port: balancer.port, method, agent: false });
  upload.on("error", () => {});
  t.after(() => void upload.destroy());
  return upload;
}

async function firstChunk(stream: IncomingMessage): Promise<string> {
  const [chunk] = await within(5_000, "a chunk", once(stream, "data"));
  return String(chunk);
}

/** Waits until a number stops growing, and returns it. */
async function still(read: () => number): Promise<number> {
  for (let before = -1, now = read(); ; before = now, now = read()) {
    if (now === before && now > 0) return now;
    await delay(STILL_MS);
  }
}

/** Writes as fast as the other side takes it; `written` says how much that was. */
function pour(into: ServerResponse | ClientRequest): { written: () => number } {
  const chunk = Buffer.alloc(MEBIBYTE);
  let bytes = 0;
  const more = () => {
    while (bytes < ENDLESS_BYTES) {
      bytes += chunk.length;
      if (!into.write(chunk)) return void into.once("drain", more);
    }
    into.end();
  };
  more();
  return { written: () => bytes };
}

test("a chunk of a request is with the server before the request ends, and the answer's before that ends", async (t) => {
  const next = await manual(t);
  const upload = open(t);
  upload.write("first");
  const { request: received, response } = await next();
  assert.equal(await firstChunk(received), "first");
  response.write("early");
  const [answer] = (await once(upload, "response")) as [IncomingMessage];
  assert.equal(await firstChunk(answer), "early");
  upload.end("last");
  assert.equal(await text(received), "last");
  response.end("late");
  assert.equal(await text(answer), "late");
});

test("an event stream's head comes before its first event, and each event when it is sent", async (t) => {
  const next = await manual(t);
  const asked = begin(balancer.port, { headers: { Accept: "text/event-stream" } });
  const { response } = await next();
  response.writeHead(200, { "Content-Type": "text/event-stream" }).flushHeaders();
  const events = await within(5_000, "the head", asked);
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    response.write(event);
    assert.equal(await firstChunk(events), event);
  }
  response.end();
  await once(events.resume(), "end");
});

test("a client that reads slowly slows the server down: nobody between keeps what it has not taken", async (t) => {
  const next = await manual(t);
  const asked = begin(balancer.port);
  const { written } = pour((await next()).response);
  const download = await asked;
  const held = await still(written);
  assert.ok(held < HELD_BYTES_MAX, `${held} bytes are on the way`);
  let bytes = 0;
  for await (const chunk of download) bytes += (chunk as Buffer).length;
  assert.equal(bytes, ENDLESS_BYTES);
});

test("a server that reads slowly slows the client down", async (t) => {
  const next = await manual(t);
  const upload = open(t);
  const { written } = pour(upload);
  const { request: received, response } = await next();
  const held = await still(written);
  assert.ok(held < HELD_BYTES_MAX, `${held} bytes are on the way`);
  let bytes = 0;
  for await (const chunk of received) bytes += (chunk as Buffer).length;
  assert.equal(bytes, ENDLESS_BYTES);
  response.end("all of it");
  const [answer] = (await once(upload, "response")) as [IncomingMessage];
  assert.equal(await text(answer), "all of it");
});

const truncations: readonly [string, string][] = [
  ["a length that was not reached", "Content-Length: 10\r\n\r\nhello"],
  ["no last chunk", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
];

for (const [what, rest] of truncations) {
  for (const how of ["end", "resetAndDestroy"] as const) {
    test(`an answer with ${what} is broken for the client too (${how})`, async (t) => {
      const server = await rawOrigin(t, (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${rest}`));
      await proxy.publish([entry("server-1", server.port)]);
      const client = await rawClient(t, balancer.port);
      client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      await client.until(/hello/);
      server.sockets[0]?.[how]();
      await within(5_000, "the end of the connection", client.closed);
      assert.doesNotMatch(client.received(), /\r\n0\r\n/, "it looks whole");
      assert.equal(server.sockets.length, 1, "it was not asked for again");
    });
  }
}

const leavings: readonly [string, (exchange: Exchange, client: ClientRequest) => unknown][] = [
  ["while it waits for an answer", () => {}],
  [
    "in the middle of the answer",
    async ({ response }, client) => {
      response.write("half");
      const [answer] = (await once(client, "response")) as [IncomingMessage];
      await firstChunk(answer.on("error", () => {}));
    },
  ],
];

for (const [when, proceed] of leavings) {
  test(`a client that leaves ${when} ends the server's work`, async (t) => {
    const next = await manual(t);
    const client = open(t, "GET");
    client.end();
    const exchange = await next();
    const closed = once(exchange.response, "close");
    await proceed(exchange, client);
    client.destroy();
    await within(5_000, "the server to hear of it", closed);
    assert.equal(exchange.response.writableFinished, false);
  });
}

test("a client that leaves in the middle of its request gives the server a broken one, not a short one", async (t) => {
  const next = await manual(t);
  const client = open(t);
  client.write("half");
  const { request: received } = await next();
  await firstChunk(received);
  client.destroy();
  await assert.rejects(within(5_000, "the server to hear of it", text(received)), { code: "ECONNRESET" });
});

test("an answer that comes before the request is whole reaches the client, and the next request is answered too", async (t) => {
  await serve(t, (received, response) => {
    if (received.url === "/next") response.end("next");
    else response.writeHead(413).end("too much");
  });
  const client = await rawClient(t, balancer.port);
  const bytes = 4 * MEBIBYTE;
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n${"x".repeat(bytes / 2)}`);
  await client.until(/^HTTP\/1\.1 413 [\s\S]*too much/);
  client.send(`${"x".repeat(bytes / 2)}GET /next HTTP/1.1\r\nHost: a\r\n\r\n`);
  await client.until(/\r\n\r\n[\s\S]*next/);
});
