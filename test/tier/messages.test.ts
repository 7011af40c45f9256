// What passes through two tiers and what does not, byte by byte where it matters: headers of the hop and of the way, paths,
// bodies, bodiless answers, and connections that are used again.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { text } from "node:stream/consumers";
import { before, type TestContext, test } from "node:test";
import { ask, rawClient } from "../tools/http/ask.ts";
import { type Origin, origin, rawOrigin } from "../tools/http/origin.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** One system for the whole file: a balancer, proxy-1, and behind it the server that a test puts there. */
const scope = fileScope();
let balancer: TierProcess;
let proxy: TierProcess;

before(async () => {
  const system = await startTwoTiers(scope, []);
  balancer = system.balancer;
  proxy = system.proxies[0] as TierProcess;
});

async function served(t: TestContext, answer: RequestListener): Promise<Origin> {
  const server = await origin(t, answer);
  await proxy.publish([entry("server-1", server.port)]);
  return server;
}

/** The first request's headers, as [name, value] with the names as sent. */
function headersOf({ asked }: Origin): [string, string][] {
  const raw = asked[0]?.rawHeaders ?? [];
  return raw.flatMap((name, index) => (index % 2 === 0 ? [[name, raw[index + 1]]] : [])) as [string, string][];
}

function valuesOf(of: Origin, name: string): string[] {
  return headersOf(of).flatMap(([each, value]) => (each.toLowerCase() === name ? [value] : []));
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

test("nothing of the hop reaches the server or the client, and what Connection names is of the hop", async (t) => {
  const hop = [
    "Keep-Alive: timeout=9",
    "Proxy-Authenticate: Basic",
    "Proxy-Authorization: Basic x",
    "X-Secret: 1",
    "TE: gzip",
  ];
  const lines = [...hop, "Connection: x-secret", "Connection: Close", "X-Kept: yes"].join("\r\n");
  const server = await rawOrigin(t, (socket) => {
    socket.end(`HTTP/1.1 200 OK\r\n${lines}\r\nTrailer: X-T\r\nContent-Length: 2\r\n\r\nok`);
  });
  await proxy.publish([entry("server-1", server.port)]);
  const client = await rawClient(t, balancer.port);
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n${lines}\r\n\r\n`);
  await client.until(/\r\n\r\nok/);
  for (const message of [server.received(), client.received()]) {
    assert.match(message, /\r\nX-Kept: yes\r\n/);
    assert.doesNotMatch(message, /timeout=9|proxy-auth|x-secret|\r\nte:|trailer/i);
  }
});

test("the server hears the client's own address and host, whatever the client says they are", async (t) => {
  const server = await served(t, (_request, response) => void response.end());
  const claims = { "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", Forwarded: "for=1.2.3.4" };
  await ask(balancer.port, {
    from: "127.0.0.9",
    headers: { ...claims, "X-Forwarded-Host": "evil", Host: "shop.example" },
  });
  assert.deepEqual(valuesOf(server, "x-forwarded-for"), ["127.0.0.9"]);
  assert.deepEqual(valuesOf(server, "x-forwarded-proto"), ["http"]);
  assert.deepEqual(valuesOf(server, "x-forwarded-host"), ["shop.example"]);
  assert.deepEqual(valuesOf(server, "forwarded"), ['for=127.0.0.9;host="shop.example";proto=http']);
  assert.deepEqual(valuesOf(server, "host"), ["shop.example"]);
});

test("the way is written down in both directions: Via at each tier, and who served it", async (t) => {
  const server = await served(t, (_request, response) => response.writeHead(200, { "X-Served-By": "liar" }).end());
  const { headers } = await ask(balancer.port, { headers: { Via: "1.0 fred" } });
  assert.deepEqual(valuesOf(server, "via"), ["1.0 fred, 1.1 balancer, 1.1 proxy-1"]);
  assert.equal(headers.via, "1.1 proxy-1, 1.1 balancer");
  assert.equal(headers["x-served-by"], "server-1");
});

const TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

test("a request gets one id and one trace on its way; those that a client brings are passed on", async (t) => {
  const server = await served(t, (_request, response) => void response.end());
  await ask(balancer.port);
  assert.match(valuesOf(server, "x-request-id").join(), UUID);
  assert.match(valuesOf(server, "traceparent").join(), /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/);
  server.asked.length = 0;
  const brought = { "X-Request-Id": "mine", traceparent: TRACE };
  await ask(balancer.port, { headers: brought });
  assert.deepEqual([valuesOf(server, "x-request-id"), valuesOf(server, "traceparent")], [["mine"], [TRACE]]);
});

test("a path goes through as it is, byte for byte", async (t) => {
  const server = await served(t, (_request, response) => void response.end());
  const path = "//a//b/../%2e?x=%zz&y&&[]=%";
  await ask(balancer.port, { path });
  assert.equal(server.asked[0]?.url, path);
});

test("other headers keep their order, their case and their number, both ways", async (t) => {
  const sent = ["X-b", "1", "x-A", "2", "X-B", "3", "X-Empty", "", "X-Latin", "caf\xe9"];
  const server = await served(t, (_request, response) => {
    response.writeHead(200, ["Set-Cookie", "a=1", "X-Y", "z", "set-cookie", "b=2"]).end();
  });
  const client = await rawClient(t, balancer.port);
  const lines = sent.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${sent[index + 1]}`] : []));
  client.send(`GET / HTTP/1.1\r\nHost: a\r\n${lines.join("\r\n")}\r\n\r\n`);
  const [answer] = await client.until(/^HTTP\/1\.1 200 [\s\S]*?\r\n\r\n/);
  const received = server.asked[0]?.rawHeaders ?? [];
  const begin = received.indexOf("X-b");
  assert.deepEqual(received.slice(begin, begin + sent.length), sent);
  assert.match(answer, /\r\nSet-Cookie: a=1\r\nX-Y: z\r\nset-cookie: b=2\r\n/);
});

test("a status and its reason are passed on, errors too, and asked for once", async (t) => {
  for (const [status, reason] of [
    [404, "Nobody Home"],
    [418, "I'm a Teapot"],
    [500, "Oh"],
    [299, "Odd"],
  ] as const) {
    const server = await served(t, (_request, response) => response.writeHead(status, reason).end("body"));
    const reply = await ask(balancer.port);
    assert.deepEqual([reply.status, reply.reason, reply.body, server.asked.length], [status, reason, "body", 1]);
  }
});

test("a request for an admin path is forwarded like any other", async (t) => {
  await served(t, (request, response) => void response.end(`the server's own ${request.url}`));
  for (const path of ["/metrics", "/healthz", "/readyz"]) {
    assert.equal((await ask(balancer.port, { path })).body, `the server's own ${path}`);
  }
});

const bodiless: readonly [string, string, string][] = [
  ["an answer to HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"],
  ["a 204", "GET", "HTTP/1.1 204 No Content\r\n\r\n"],
  ["a 304 that says how long the body would be", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n"],
];

for (const [what, method, answer] of bodiless) {
  test(`${what} comes at once, without a body, and its connection is used again`, async (t) => {
    const server = await rawOrigin(t, (socket, bytes) => {
      const text = bytes.toString();
      socket.write(text.includes(" /second ") ? "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond" : answer);
    });
    await proxy.publish([entry("server-1", server.port)]);
    const client = await rawClient(t, balancer.port);
    const started = performance.now();
    client.send(`${method} /first HTTP/1.1\r\nHost: a\r\n\r\n`);
    const [head] = await client.until(/^HTTP\/1\.1 [\s\S]*?\r\n\r\n/);
    assert.ok(performance.now() - started < 1_500, "it waited for something");
    assert.ok(head.startsWith(answer.slice(0, answer.indexOf("\r\n"))));
    client.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n");
    await client.until(/\r\n\r\nsecond$/);
    assert.equal(client.received().split("HTTP/1.1 ").length, 3, "two answers and nothing else");
  });
}

test("a body keeps its framing: a chunked DELETE is one request, with its body, and the next is the next", async (t) => {
  const bodies: string[] = [];
  const server = await served(t, async (request, response) => {
    bodies.push(`${request.method} ${request.url} ${await text(request)}`);
    response.end();
  });
  const client = await rawClient(t, balancer.port);
  const head = "DELETE /one HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.send(`${head}1c\r\nGET /smuggled HTTP/1.1\r\n\r\nab\r\n0\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n`);
  await client.until(/(?:HTTP\/1\.1 200 [\s\S]*?\r\n\r\n){2}/);
  assert.deepEqual(bodies, ["DELETE /one GET /smuggled HTTP/1.1\r\n\r\nab", "GET /two "]);
  assert.equal(server.asked.length, 2);
});

for (const expect of ["", "Expect: 100-continue\r\n"]) {
  test(`naming Content-Length in Connection does not unframe a body${expect && ", not even with an Expect"}`, async (t) => {
    const server = await served(t, async (request, response) => void response.end(`body: ${await text(request)}`));
    const client = await rawClient(t, balancer.port);
    const body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    const named = `Connection: Content-Length\r\nContent-Length: ${body.length}\r\n`;
    client.send(`DELETE / HTTP/1.1\r\nHost: a\r\n${named}${expect}\r\n${body}`);
    await client.until(/\r\n\r\n[\s\S]*body: GET \/smuggled HTTP/);
    assert.deepEqual(
      server.asked.map(({ url }) => url),
      ["/"],
    );
  });
}

test("a client that asks before it sends its body is told to go on, and its body arrives", async (t) => {
  await served(t, async (request, response) => void response.end(`got ${await text(request)}`));
  const client = await rawClient(t, balancer.port);
  client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  await client.until(/^HTTP\/1\.1 100 Continue\r\n/);
  client.send("body");
  await client.until(/got body/);
});

test("an HTTP/1.0 client gets a chunked answer without chunks, and the end of the connection as its end", async (t) => {
  await served(t, (_request, response) => {
    response.write("one,");
    response.end("two");
  });
  const client = await rawClient(t, balancer.port);
  client.send("GET / HTTP/1.0\r\n\r\n");
  await client.closed;
  const [head = "", body] = client.received().split("\r\n\r\n");
  assert.equal(body, "one,two");
  assert.doesNotMatch(head, /transfer-encoding/i);
});
