// Whole connections under whatever clients and servers may do: cut at any byte, in any order, as fast as they can.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import type { ServerExchange } from "../../services/http/server/server-exchange.ts";
import { TURN_BYTES } from "../../services/net/fair-reading.ts";
import { eventually } from "../tools/eventually.ts";
import { request } from "../tools/rules/row.ts";
import { statusOf } from "../tools/wire/http-bytes.ts";
import { answer, echo, serve } from "./serving.ts";

/** A request, and what `echo` says to it. */
const requests = [
  ["GET /a", ""],
  ["DELETE /b", ""],
  ["POST /c", "hello"],
  ["PUT /d", "GET / HTTP/1.1\r\nHost: smuggled\r\n\r\n"],
] as const;

function bytesOf([line, body]: readonly [string, string], chunked: boolean): string {
  if (body === "") return request(line);
  if (!chunked) return request(line, `Content-Length: ${body.length}`) + body;
  return `${request(line, "Transfer-Encoding: chunked")}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
}

test("whatever is pipelined and however it is cut, each request has its answer, in order", async (scope) => {
  const { connect: open } = await serve(scope, (exchange) => {
    echo(exchange);
    if (exchange.request.target === "/a") exchange.informational(103, "Early Hints", { text: "", length: -1 });
  });
  const one = fc.record({ kind: fc.nat(requests.length - 1), chunked: fc.boolean() });
  const plan = fc.record({
    all: fc.array(one, { minLength: 1, maxLength: 12 }),
    cuts: fc.array(fc.nat(), { maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(plan, async ({ all, cuts }) => {
      const client = await open();
      const bytes = all
        .map(({ kind, chunked }) => bytesOf(requests[kind] as readonly [string, string], chunked))
        .join("");
      const at = [0, ...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
      for (let index = 1; index < at.length; index += 1) {
        client.send(bytes.slice(at[index - 1], at[index]));
        await new Promise(setImmediate);
      }
      for (const { kind } of all) {
        const [line, body] = requests[kind] as readonly [string, string];
        assert.equal((await client.final()).body, body === "" ? line : body);
      }
      client.close();
    }),
    { numRuns: 60 },
  );
});

test("whatever bytes clients send, they are answered or cut off, and the next client is served", async (scope) => {
  const { connect: open, http } = await serve(scope, echo, { settings: { headTimeoutMs: 300, idleTimeoutMs: 300 } });
  const word = fc.constantFrom(
    ...["GET ", "/", " HTTP/1.1\r\n", "Host: a\r\n", "\r\n", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n"],
    ...[
      "0\r\n\r\n",
      "3\r\nabc\r\n",
      "Connection: close\r\n",
      "\0",
      "\n",
      "\r",
      "Upgrade: x\r\n",
      "Connection: upgrade\r\n",
    ],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 20 }), fc.boolean(), async (words, resets) => {
      const client = await open();
      client.send(words.join(""));
      await new Promise(setImmediate);
      if (resets) client.socket.resetAndDestroy();
      else client.socket.end();
      await client.ending(3_000);
      client.close();
    }),
    { numRuns: 150 },
  );
  await eventually("the end of all connections", () => http.connections === 0);
  const client = await open();
  client.send(request("GET /well"));
  assert.equal((await client.response()).body, "GET /well");
});

test("of all that send as fast as they can, no more is read in one turn than it may hold", async (scope) => {
  let inTurn = 0;
  let most = 0;
  let total = 0;
  const count = () => {
    most = Math.max(most, inTurn);
    inTurn = 0;
    if (total < 40_000_000) setImmediate(count);
  };
  setImmediate(count);
  const { port } = await serve(scope, (exchange) => {
    exchange.handler = {
      onData: (chunk) => {
        inTurn += chunk.length;
        total += chunk.length;
      },
      onEnd: () => answer(exchange, "ok"),
      onDrain() {},
      onAbort() {},
    };
  });
  const sockets: Socket[] = Array.from({ length: 4 }, () => connect(port, "127.0.0.1"));
  for (const socket of sockets) {
    await once(socket, "connect");
    socket.write(request("POST /", "Content-Length: 10000000"));
    socket.write(Buffer.alloc(10_000_000));
  }
  await Promise.all(sockets.map((socket) => once(socket, "data")));
  for (const socket of sockets) socket.destroy();
  assert.equal(total, 40_000_000);
  assert.ok(most <= TURN_BYTES + 4 * 64 * 1024, `${most} bytes in one turn`);
});

test("answers to a pipeline are held in memory only up to a limit", async (scope) => {
  const open: ServerExchange[] = [];
  const told: boolean[] = [];
  const { connect: connectTo } = await serve(scope, (exchange) => void open.push(exchange));
  const client = await connectTo();
  client.send(request("GET /1") + request("GET /2"));
  await eventually("two requests", () => open.length === 2);
  const [first, second] = open as [ServerExchange, ServerExchange];
  let drained = 0;
  second.handler = { onData() {}, onEnd() {}, onAbort() {}, onDrain: () => void drained++ };
  second.head(200, "OK", { text: "Content-Length: 200000\r\n", length: 200_000 });
  for (let index = 0; index < 2; index += 1) told.push(second.data(Buffer.alloc(50_000, "x")));
  assert.deepEqual(told, [true, false]);
  answer(first, "first");
  await eventually("the drain", () => drained > 0);
  second.data(Buffer.alloc(100_000, "x"));
  second.end();
  assert.equal((await client.response()).body, "first");
  const answered = await client.response();
  assert.deepEqual([statusOf(answered), answered.body.length, answered.whole], [200, 200_000, true]);
});
