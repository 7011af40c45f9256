// A tier that is told to stop with upgrades open: it does not wait for what would never end, tells WebSocket clients that it goes away,
// and says how many connections it ended and cut.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { WebSocket, WebSocketServer } from "ws";
import { WebSocketFrames } from "../../services/tier/downstream/upgrades/websocket-frames.ts";
import { within } from "../tools/eventually.ts";
import { rawClient } from "../tools/http/ask.ts";
import { rawOrigin } from "../tools/http/origin.ts";
import { HOST, listening } from "../tools/ports.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

/** Far below the time that a tier waits for requests in flight. */
const PROMPT_MS = 4_000;

async function tierOver(t: TestContext, port: number, environment = {}): Promise<TierProcess> {
  return startTier(t, [entry("server-1", port)], { ROLE: "proxy", ID: "proxy-1", DRAIN_GRACE_MS: "0", ...environment });
}

async function stopped(tier: TierProcess, limitMs = PROMPT_MS) {
  tier.child.kill("SIGTERM");
  assert.equal((await within(limitMs, "the end of the tier", tier.ended)).code, 0);
  const { cut, upgradesEnded } = await tier.event("stopped");
  return { cut, upgradesEnded };
}

async function webSocket(t: TestContext, { port }: TierProcess): Promise<WebSocket> {
  const socket = new WebSocket(`ws://${HOST}:${port}/`);
  t.after(() => socket.terminate());
  await within(5_000, "the handshake", once(socket, "open"));
  return socket;
}

test("a WebSocket client is told that the tier goes away, and so is its server", async (t) => {
  const server = createServer();
  const atServer = new WebSocketServer({ server });
  const connected = once(atServer, "connection");
  const tier = await tierOver(t, await listening(t, server, 0));
  const socket = await webSocket(t, tier);
  const [served] = (await connected) as [WebSocket];
  served.send("hello");
  assert.equal(String((await once(socket, "message"))[0]), "hello");
  const [closed, closedAtServer] = [once(socket, "close"), once(served, "close")];
  assert.deepEqual(await stopped(tier), { cut: 0, upgradesEnded: 1 });
  assert.equal((await within(PROMPT_MS, "the close", closed))[0], 1001);
  assert.equal((await within(PROMPT_MS, "the close at the server", closedAtServer))[0], 1001);
});

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const ASK = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

test("in the middle of a frame nothing of the tier's is put in: the connection ends", async (t) => {
  const half = `\x81\x05he`;
  const server = await rawOrigin(t, (socket) => void socket.write(Buffer.from(SWITCH + half, "latin1")));
  const tier = await tierOver(t, server.port);
  const client = await rawClient(t, tier.port);
  client.send(ASK);
  await client.until(/he$/);
  assert.deepEqual(await stopped(tier), { cut: 0, upgradesEnded: 1 });
  await within(PROMPT_MS, "the end of the connection", client.closed);
  assert.ok(client.received().endsWith(half));
});

test("with DRAIN_UPGRADES=wait a connection has until the deadline, and is counted as cut", async (t) => {
  const server = createServer();
  server.on("upgrade", (_request, socket: Duplex) => void socket.write(SWITCH));
  const port = await listening(t, server, 0);
  const tier = await tierOver(t, port, { DRAIN_UPGRADES: "wait", DRAIN_TIMEOUT_MS: "300" });
  const client = await rawClient(t, tier.port);
  client.send(ASK);
  await client.until(/\r\n\r\n$/);
  assert.deepEqual(await stopped(tier), { cut: 1, upgradesEnded: 0 });
  await within(PROMPT_MS, "the end of the connection", client.closed);
});

/** A frame as a server or a client sends it. */
const frame = fc
  .record({ masked: fc.boolean(), length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 65_535, 65_536, 70_000)) })
  .map(({ masked, length }) => {
    const mask = masked ? 0x80 : 0;
    const head =
      length < 126
        ? [0x82, mask | length]
        : length < 65_536
          ? [0x82, mask | 126, length >> 8, length & 255]
          : [0x82, mask | 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255];
    return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0), Buffer.alloc(length, 0xff)]);
  });

test("wherever frames are split, only their ends are between two frames", () => {
  const walk = fc.property(fc.array(frame, { minLength: 1, maxLength: 4 }), fc.array(fc.nat()), (frames, cuts) => {
    const all = Buffer.concat(frames);
    const ends = new Set(frames.map((_, index) => Buffer.concat(frames.slice(0, index + 1)).length));
    const at = [...new Set(cuts.map((cut) => cut % all.length)), all.length].sort((one, other) => one - other);
    const stream = new WebSocketFrames();
    let from = 0;
    for (const to of at) {
      stream.push(all.subarray(from, to));
      assert.equal(stream.between, to === 0 || ends.has(to), `at ${to} of ${all.length}`);
      from = to;
    }
  });
  fc.assert(walk, { numRuns: 200 });
});
