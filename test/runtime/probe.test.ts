// One probe: what each kind of answer, and of silence, is taken for, and when it makes a connection of its own.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { test } from "node:test";
import { probe } from "../../services/runtime/probe.ts";
import type { Scope } from "../tools/scope.ts";

const TIMEOUT_MS = 400;

/** A member whose admin port answers like this, and how many connections it has taken. */
async function member(t: Scope, answer: RequestListener) {
  const connections: Socket[] = [];
  const server = createServer(answer).on("connection", (socket: Socket) => connections.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (connection?: "new" | "kept") =>
    probe(
      { host: "127.0.0.1", port, adminPort: port },
      { path: "/readyz", timeoutMs: TIMEOUT_MS, ...(connection && { connection }) },
    );
  return { ask, connections, port };
}

const yes: RequestListener = (_request, response) => response.end("ready\n");

test("2xx passes, anything else is a refusal with its status", async (t) => {
  let status = 204;
  const { ask } = await member(t, (_request, response) => response.writeHead(status).end());
  assert.deepEqual(await ask(), { kind: "passed" });
  status = 503;
  assert.deepEqual(await ask(), { kind: "refused", status: 503 });
  status = 301;
  assert.deepEqual(await ask(), { kind: "refused", status: 301 });
});

test("a member without an admin port is healthy by a path of its own, where it is known, from 200 to 399", async (t) => {
  const { port } = await member(t, (request, response) => {
    response.writeHead(Number(request.url?.slice(1))).end("x".repeat(100));
  });
  const ask = (healthPath: string) =>
    probe({ host: "127.0.0.1", port, healthPath }, { path: "/readyz", timeoutMs: TIMEOUT_MS });
  for (const status of [200, 204, 302, 399]) assert.deepEqual(await ask(`/${status}`), { kind: "passed" });
  for (const status of [400, 404, 503]) assert.deepEqual(await ask(`/${status}`), { kind: "refused", status });
});

test("an answer that never ends is one all the same", async (t) => {
  const { port } = await member(t, (_request, response) => {
    const more = () => response.write(Buffer.alloc(16_384)) && setImmediate(more);
    response.on("drain", more);
    more();
  });
  const target = { host: "127.0.0.1", port, healthPath: "/" };
  assert.deepEqual(await probe(target, { path: "/readyz", timeoutMs: 10_000 }), { kind: "passed" });
});

test("no answer in time is silence, on a new connection and on a kept one", async (t) => {
  let answers = true;
  const { ask } = await member(t, (request, response) => answers && yes(request, response as never));
  assert.deepEqual(await ask("kept"), { kind: "passed" });
  answers = false;
  const silence = { kind: "silent", reason: "no answer in 400 ms" };
  assert.deepEqual(await Promise.all([ask("kept"), ask("new")]), [silence, silence]);
  answers = true;
  assert.deepEqual(await ask("kept"), { kind: "passed" });
});

test("a kept connection is used again, a new one is not", async (t) => {
  const { ask, connections } = await member(t, yes);
  for (let n = 0; n < 3; n += 1) assert.deepEqual(await ask("kept"), { kind: "passed" });
  assert.equal(connections.length, 1);
  for (let n = 0; n < 3; n += 1) assert.deepEqual(await ask(), { kind: "passed" });
  assert.equal(connections.length, 4);
});

test("a kept connection that the member has closed says nothing: it is asked on a new one", async (t) => {
  let last: Socket | undefined;
  const { ask, connections } = await member(t, (request, response) => {
    // The second request on a connection meets its end, as one does that crosses with the end of a keep-alive.
    if (request.socket === last) return request.socket.resetAndDestroy();
    last = request.socket;
    return yes(request, response as never);
  });
  assert.deepEqual(await ask("kept"), { kind: "passed" });
  assert.deepEqual(await ask("kept"), { kind: "passed" });
  assert.equal(connections.length, 2);
});

test("a port where nobody listens is silence, with or without an admin port", async () => {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const plain = { host: "127.0.0.1", port };
  server.close();
  await once(server, "close");
  for (const target of [plain, { ...plain, adminPort: port }, { ...plain, healthPath: "/up" }]) {
    for (const connection of ["new", "kept"] as const) {
      const answer = await probe(target, { path: "/readyz", timeoutMs: TIMEOUT_MS, connection });
      assert.deepEqual(answer, { kind: "silent", reason: "ECONNREFUSED" });
    }
  }
});

test("of a member of which only the port is known, a new connection wants any answer, and a kept one none", async (t) => {
  const sockets: Socket[] = [];
  let onConnection = (_socket: Socket) => {};
  const server = createTcpServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    onConnection(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const ask = (connection: "new" | "kept") =>
    probe({ host: "127.0.0.1", port }, { path: "/readyz", timeoutMs: TIMEOUT_MS, connection });
  assert.deepEqual(
    [await ask("kept"), await ask("new")],
    [{ kind: "passed" }, { kind: "silent", reason: "no answer in 400 ms" }],
  );
  for (const answer of ["HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-OpenSSH\r\n", ""]) {
    onConnection = (socket) => socket.once("data", () => socket.end(answer));
    assert.deepEqual(await ask("new"), { kind: "passed" });
  }
  onConnection = (socket) => socket.resetAndDestroy();
  assert.deepEqual(await ask("new"), { kind: "passed" });
});
