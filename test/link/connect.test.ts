// Opening a session at peers of every kind: those that speak the link, those that speak HTTP/1.1, and those that fail.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { connectSession } from "../../services/link/connect.ts";
import { SWITCHING } from "../../services/link/negotiation.ts";
import { accepting, listening, Side, targetAt } from "./pair.ts";
import { hello } from "./raw-peer.ts";

/** How a peer takes a connection that asks for the link, and what becomes of that. */
const peers: readonly (readonly [fact: string, take: (socket: Socket) => void, connected: object])[] = [
  [
    "an HTTP/1.1 server",
    (socket) => socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
    { kind: "not-spoken", status: 404 },
  ],
  [
    "a server that switches to something else",
    (socket) => socket.write(SWITCHING.replace("evenkeel-link/1", "websocket")),
    { kind: "not-spoken", status: 101 },
  ],
  ["one that speaks something else", (socket) => socket.write("220 smtp\r\n"), { kind: "failed", reason: "no-http" }],
  ["one that says nothing", () => {}, { kind: "failed", reason: "timed-out" }],
  ["one that says no hello", (socket) => socket.write(SWITCHING), { kind: "failed", reason: "timed-out" }],
  ["one that ends the connection", (socket) => socket.end(), { kind: "failed", reason: "closed" }],
  ["one that resets it", (socket) => socket.resetAndDestroy(), { kind: "failed", reason: "ECONNRESET" }],
  ["one that ends it behind the 101", (socket) => socket.end(SWITCHING), { kind: "failed", reason: "peer-ended" }],
  [
    "one of another version",
    (socket) => socket.write(Buffer.concat([Buffer.from(SWITCHING), hello({ version: 9 })])),
    { kind: "failed", reason: "hello-version" },
  ],
];

for (const [fact, take, connected] of peers) {
  test(`${fact} is told as ${JSON.stringify(connected)}, and its connection is closed`, async (context) => {
    const closed: Promise<unknown>[] = [];
    const port = await listening(context, (socket) => {
      closed.push(new Promise((resolve) => socket.on("close", resolve)));
      socket.once("data", () => take(socket));
    });
    const owner = new Side();
    const target = { ...targetAt(port), owner, timeoutMs: 200 };
    assert.deepEqual(await connectSession(target), connected);
    assert.equal(closed.length, 1);
    await closed[0];
    let heard = false;
    void owner.ended.then(() => {
      heard = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(heard, false, "of a session that never was");
  });
}

test("nobody who listens is a failure at once", async (context) => {
  let port = 0;
  await context.test("a port that was free", async (inner) => {
    port = await listening(inner, () => {});
  });
  assert.deepEqual(await connectSession(targetAt(port)), { kind: "failed", reason: "ECONNREFUSED" });
});

test("an answer and a hello that come byte by byte make a session", async (context) => {
  const bytes = Buffer.concat([Buffer.from(SWITCHING), hello()]);
  const port = await listening(context, (socket) => {
    socket.once("data", async () => {
      for (const byte of bytes) await new Promise<unknown>((resolve) => socket.write(Buffer.from([byte]), resolve));
    });
  });
  const connected = await connectSession(targetAt(port));
  assert.ok(connected.kind === "session" && connected.session.usable);
  connected.session.destroy();
});

test("a peer that speaks the link makes a session that can be used", async (context) => {
  const side = new Side();
  const port = await accepting(context, side);
  const connected = await connectSession(targetAt(port));
  assert.ok(connected.kind === "session" && connected.session.usable);
  connected.session.destroy();
  assert.equal((await side.ended).why, "peer-ended");
});
