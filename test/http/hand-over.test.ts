import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type Socket } from "node:net";
import { test } from "node:test";
import type { ServerExchange } from "../../services/http/server/server-exchange.ts";
import { directAcceptWorks } from "../../services/net/sockets.ts";
import { Transport } from "../../services/net/transport.ts";
import { head, request } from "../tools/rules/row.ts";
import type { Scope } from "../tools/scope.ts";
import { statusOf } from "../tools/wire/http-bytes.ts";
import { answer, serve } from "./serving.ts";

const handshake = request("GET /ws", "Connection: Upgrade", "Upgrade: echo");
const get = (path: string) => request(`GET ${path}`);

/** The engine answers requests; those that may change the protocol, and /node ones, node:http does. */
async function serveBoth(scope: Scope, direct: boolean) {
  const web = createServer((incoming, response) => {
    const hash = createHash("md5");
    incoming.on("data", (chunk: Buffer) => hash.update(chunk));
    incoming.on("end", () => response.end(`node ${incoming.url} ${hash.digest("hex")}`));
  });
  web.on("upgrade", (_incoming, socket: Socket, first: Buffer) => {
    socket.write(head("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: echo"));
    socket.write(first);
    socket.pipe(socket);
  });
  scope.after(() => web.closeAllConnections());
  const onRequest = (exchange: ServerExchange) => {
    const { upgrade, target } = exchange.request;
    if (!upgrade && !target.startsWith("/node")) {
      answer(exchange, `engine ${target}`);
      return;
    }
    const stream = exchange.handOver();
    web.emit("connection", stream);
    stream.resume();
  };
  return serve(scope, onRequest, { direct });
}

for (const direct of [true, false]) {
  const how = direct ? "read directly" : "read by 'data' events";

  test(`an upgrade behind other requests is handed to node:http with its first bytes, ${how}`, async (scope) => {
    const { connect: open, http } = await serveBoth(scope, direct);
    const client = await open();
    client.send(get("/1"));
    assert.equal((await client.response()).body, "engine /1");
    client.send(`${get("/2")}${handshake}early`);
    assert.equal((await client.response()).body, "engine /2");
    assert.equal(statusOf(await client.response()), 101);
    await client.has("early");
    assert.equal(http.connections, 0);
    const many = "0123456789abcdef".repeat(40_000);
    client.send(many);
    client.socket.end("late");
    const { rest, how: end } = await client.ending();
    assert.deepEqual([rest === `early${many}late`, end], [true, "fin"]);
  });

  test(`a request with 3 MB behind it is handed over in the middle, and the connection goes on, ${how}`, async (scope) => {
    const { connect: open } = await serveBoth(scope, direct);
    const client = await open();
    const body = "z".repeat(3_000_000);
    const md5 = createHash("md5").update(body).digest("hex");
    client.send(`${request("POST /node/up", `Content-Length: ${body.length}`)}${body}${get("/node/next")}`);
    assert.equal((await client.response()).body, `node /node/up ${md5}`);
    assert.match((await client.response()).body, /^node \/node\/next /);
    client.send(get("/any"));
    assert.match((await client.response()).body, /^node \/any /);
  });
}

test("an upgrade waits for the answers before it, and nothing behind it is read", async (scope) => {
  let slow: ServerExchange | undefined;
  const seen: string[] = [];
  const { connect: open } = await serve(scope, (exchange) => {
    seen.push(exchange.request.target);
    if (exchange.request.target === "/slow") slow = exchange;
    else answer(exchange, exchange.request.target);
  });
  const client = await open();
  client.send(get("/slow") + handshake + get("/behind"));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(seen, ["/slow"]);
  answer(slow as ServerExchange, "slow");
  // Declined by answering it as any other request: the connection goes on.
  for (const body of ["slow", "/ws", "/behind"]) assert.equal((await client.response()).body, body);
});

test("connections are read directly on this Node", async () => assert.equal(await directAcceptWorks(), true));

test("a transport works over any duplex stream, and tells an end from a reset", async (scope) => {
  const server = createTcpServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  scope.after(() => void server.close());
  for (const end of ["end", "resetAndDestroy"] as const) {
    const client = connect((server.address() as { port: number }).port, "127.0.0.1").on("error", () => {});
    const [socket] = (await once(server, "connection")) as [Socket];
    const told: string[] = [];
    const transport = new Transport(socket, { direct: false });
    const closed = new Promise<void>((resolve) => {
      transport.owner = {
        onBytes: ({ bytes }) => void told.push(bytes.toString()),
        onDrain() {},
        onEnd: () => {
          told.push("end");
          transport.end();
        },
        onClose: (code) => {
          told.push(`closed ${code}`);
          resolve();
        },
      };
    });
    client.write("hello");
    await once(socket, "data");
    client[end]();
    await closed;
    assert.deepEqual(told, end === "end" ? ["hello", "end", "closed undefined"] : ["hello", "closed ECONNRESET"]);
  }
});
