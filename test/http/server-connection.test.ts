import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { faults } from "../../services/http/message/faults.ts";
import { fieldsOf, NO_FIELDS } from "../../services/http/message/fields.ts";
import type { ServerExchange } from "../../services/http/server/server-exchange.ts";
import { TICK_MS } from "../../services/net/timers.ts";
import { eventually } from "../tools/eventually.ts";
import { head, request } from "../tools/rules/row.ts";
import type { Scope } from "../tools/scope.ts";
import { statusOf, valuesOf } from "../tools/wire/http-bytes.ts";
import type { RawClient } from "../tools/wire/raw-client.ts";
import { answer, echo, serve } from "./serving.ts";

const get = (path = "/", ...headers: string[]) => request(`GET ${path}`, ...headers);
const path = ({ request }: ServerExchange) => request.target;

test("a connection goes on from request to request", async (scope) => {
  const client = await (await serve(scope, echo)).connect();
  for (const round of ["/1", "/2", "/3"]) {
    client.send(get(round));
    assert.equal((await client.response()).body, `GET ${round}`);
  }
  client.send(`${request("POST /", "Content-Length: 5")}hello${get("/next")}`);
  assert.equal((await client.response()).body, "hello");
  assert.equal((await client.response()).body, "GET /next");
  client.send(`${request("POST /", "Transfer-Encoding: chunked")}2\r\nhe\r\n3;x\r\nllo\r\n0\r\nX-T: 1\r\n\r\n`);
  assert.equal((await client.response()).body, "hello");
});

test("a request may come byte by byte", async (scope) => {
  const client = await (await serve(scope, echo)).connect();
  for (const byte of `${request("POST /", "Transfer-Encoding: chunked")}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n${get()}`) {
    client.send(byte);
    await new Promise(setImmediate);
  }
  assert.equal((await client.response()).body, "hello");
  assert.equal((await client.response()).body, "GET /");
});

test("an answer of unknown length is in chunks, with trailers; to HTTP/1.0 it ends with the connection", async (scope) => {
  const { connect } = await serve(scope, (exchange) => {
    exchange.head(200, "OK", NO_FIELDS);
    exchange.data(Buffer.from("ok"));
    exchange.end(["X-T", "1"]);
  });
  const client = await connect();
  client.send(get());
  const chunked = await client.response();
  assert.deepEqual([chunked.framing, chunked.body, chunked.trailers], ["chunked", "ok", [["X-T", "1"]]]);
  client.send(head("GET / HTTP/1.0", "Connection: keep-alive"));
  const endless = await client.response();
  assert.deepEqual([endless.framing, endless.body, endless.whole], ["close", "ok", true]);
});

test("HTTP/1.0 goes on when it asks to and the answer has a length", async (scope) => {
  const client = await (await serve(scope, echo)).connect();
  client.send(head("GET /1 HTTP/1.0", "Connection: keep-alive"));
  assert.deepEqual(valuesOf(await client.response(), "connection"), ["keep-alive"]);
  client.send(head("GET /2 HTTP/1.0"));
  assert.deepEqual(valuesOf(await client.response(), "connection"), ["close"]);
  assert.equal((await client.ending()).rest, "");
});

test("an answer without a body has none, whatever is given for one", async (scope) => {
  const { connect } = await serve(scope, (exchange) => {
    exchange.head(Number(path(exchange).slice(1)), "X", fieldsOf(["Content-Length", "5"]));
    exchange.data(Buffer.from("hello"));
    exchange.end();
  });
  const client = await connect();
  client.send(get("/304"));
  assert.equal((await client.response()).framing, "none");
  client.send(request("HEAD /200"));
  assert.equal((await client.response("HEAD")).framing, "none");
  client.send(get("/200"));
  assert.equal((await client.response()).body, "hello");
});

test("answers leave in the order of their requests, and safe requests overlap", async (scope) => {
  const open: ServerExchange[] = [];
  const { connect } = await serve(scope, (exchange) => void open.push(exchange));
  const client = await connect();
  client.send(get("/a") + get("/b") + get("/c"));
  await eventually("three requests", () => open.length === 3);
  answer(open[2] as ServerExchange, "c");
  (open[1] as ServerExchange).informational(103, "Early Hints", NO_FIELDS);
  answer(open[1] as ServerExchange, "b");
  answer(open[0] as ServerExchange, "a");
  const seen = [];
  for (let index = 0; index < 4; index += 1) seen.push(await client.response());
  assert.deepEqual(
    seen.map((message) => [statusOf(message), message.body]),
    [
      [200, "a"],
      [103, ""],
      [200, "b"],
      [200, "c"],
    ],
  );
});

for (const [first, second] of [
  ["GET", "DELETE"],
  ["DELETE", "GET"],
  ["POST", "POST"],
]) {
  test(`a ${first} is over before the ${second} behind it begins`, async (scope) => {
    const open: ServerExchange[] = [];
    const { connect } = await serve(scope, (exchange) => void open.push(exchange));
    const client = await connect();
    client.send(request(`${first} /1`) + request(`${second} /2`));
    await eventually("a request", () => open.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(open.length, 1);
    answer(open[0] as ServerExchange, "1");
    await eventually("the next one", () => open.length === 2);
    answer(open[1] as ServerExchange, "2");
    assert.equal((await client.response()).body, "1");
    assert.equal((await client.response()).body, "2");
  });
}

test("of 6,000 pipelined GETs a few are carried out at a time, and all are answered in order", async (scope) => {
  let now = 0;
  let most = 0;
  const { connect } = await serve(scope, (exchange) => {
    now += 1;
    most = Math.max(most, now);
    setImmediate(() => {
      now -= 1;
      answer(exchange, path(exchange));
    });
  });
  const client = await connect();
  client.send(Array.from({ length: 6_000 }, (_, index) => get(`/${index}`)).join(""));
  for (let index = 0; index < 6_000; index += 1) assert.equal((await client.response()).body, `/${index}`);
  assert.equal(most, 4);
});

test("6,000 pipelined GETs that are answered at once do not fill the stack", async (scope) => {
  const client = await (await serve(scope, echo)).connect();
  client.send(get("/x").repeat(6_000));
  for (let index = 0; index < 6_000; index += 1) assert.equal((await client.response()).body, "GET /x");
});

test("a client that leaves is told of to all its requests", async (scope) => {
  const aborted: unknown[] = [];
  const { connect, http } = await serve(scope, (exchange) => {
    exchange.handler = { onData() {}, onEnd() {}, onDrain() {}, onAbort: (why) => void aborted.push(why) };
  });
  const client = await connect();
  client.send(get("/a") + get("/b"));
  await eventually("requests", () => http.connections === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  client.socket.resetAndDestroy();
  await eventually("aborts", () => aborted.length === 2);
  assert.deepEqual(aborted, ["client-left", "client-left"]);
  assert.equal(http.connections, 0);
});

test("a client that has ended its side still gets its answers, the large one too", async (scope) => {
  const { connect } = await serve(
    scope,
    (exchange) => void setTimeout(() => answer(exchange, "x".repeat(5_000_000)), 20),
  );
  const client = await connect();
  client.socket.end(get("/a") + get("/b"));
  assert.equal((await client.response()).body.length, 5_000_000);
  assert.equal((await client.response()).body.length, 5_000_000);
  assert.deepEqual(await client.ending(), { rest: "", how: "fin" });
});

/** What is no request: what a client is told, and that nothing behind it is heard. */
const faulty: readonly (readonly [fact: string, bytes: string, status: number])[] = [
  ["junk", "junk\r\n\r\n", 400],
  ["a chunk that is none", `${request("POST /", "Transfer-Encoding: chunked")}xyz\r\n`, 400],
  ["too many chunk extensions", `${request("POST /", "Transfer-Encoding: chunked")}1;${"x".repeat(20_000)}\r\n`, 413],
  ["a body past the limit", `${request("POST /", "Transfer-Encoding: chunked")}8000\r\n${"x".repeat(0x8000)}\r\n`, 413],
  ["a head past the limit", get("/", `X: ${"y".repeat(20_000)}`), 431],
];

for (const [fact, bytes, status] of faulty) {
  test(`${fact} is answered behind what came before it, and nothing after`, async (scope) => {
    const { connect, http } = await serve(scope, echo, { settings: { bodyBytesMax: 10_000 } });
    const client = await connect();
    client.send(get("/before") + bytes + get("/never"));
    assert.equal((await client.response()).body, "GET /before");
    assert.equal(statusOf(await client.response()), status);
    assert.deepEqual(await client.ending(), { rest: "", how: "fin" });
    client.close();
    await eventually("the end of the connection", () => http.connections === 0);
  });
}

test("a fault in a body in the middle of its answer breaks the answer off", async (scope) => {
  const aborted: unknown[] = [];
  const { connect } = await serve(scope, (exchange) => {
    exchange.handler = { onData() {}, onEnd() {}, onDrain() {}, onAbort: (why) => void aborted.push(why) };
    exchange.head(200, "OK", NO_FIELDS);
    exchange.data(Buffer.from("hello"));
  });
  const client = await connect();
  client.send(`${request("POST /", "Transfer-Encoding: chunked")}`);
  await client.has("hello");
  client.send("xyz\r\n");
  assert.equal((await client.response()).whole, false);
  assert.equal(aborted.length, 1);
});

for (const [fact, bytes] of [
  ["a head", "GET / HTTP/1.1\r\nHost:"],
  ["a body", `${request("POST /", "Content-Length: 10")}abc`],
  ["a chunk", `${request("POST /", "Transfer-Encoding: chunked")}5\r\nabc`],
  ["a trailer", `${request("POST /", "Transfer-Encoding: chunked")}0\r\nX: 1\r\n`],
] as const) {
  test(`a client that ends in the middle of ${fact} gets a 400, and the request is never whole`, async (scope) => {
    const seen: string[] = [];
    const { connect } = await serve(scope, (exchange) => {
      exchange.handler = {
        onData() {},
        onEnd: () => void seen.push("whole"),
        onDrain() {},
        onAbort: () => void seen.push("aborted"),
      };
    });
    const client = await connect();
    client.socket.end(bytes, "latin1");
    assert.equal(statusOf(await client.response()), 400);
    assert.equal((await client.ending()).rest, "");
    assert.deepEqual(seen, fact === "a head" ? [] : ["aborted"]);
  });
}

test("an answer before the end of an upload arrives, and the connection goes on behind the rest", async (scope) => {
  const { connect } = await serve(scope, (exchange) => answer(exchange, path(exchange)));
  const client = await connect();
  client.send(`${request("POST /early", "Content-Length: 3000000")}${"x".repeat(1_000_000)}`);
  assert.equal((await client.response()).body, "/early");
  client.send("x".repeat(2_000_000) + get("/next"));
  assert.equal((await client.response()).body, "/next");
});

test("a client that does not go on with an upload that has its answer is cut off", async (scope) => {
  const { connect } = await serve(scope, (exchange) => answer(exchange, path(exchange)));
  const client = await connect();
  client.send(`${request("POST /early", "Content-Length: 3000000")}${"x".repeat(1_000)}`);
  assert.equal((await client.response()).body, "/early");
  assert.equal((await client.ending(3_000)).rest, "");
});

test("a client waits for its 100, and one that is refused before it cannot go on", async (scope) => {
  const { connect } = await serve(scope, (exchange) => {
    if (path(exchange) === "/refused") answer(exchange, "no");
    else {
      echo(exchange);
      exchange.continue();
      exchange.continue();
    }
  });
  const client = await connect();
  client.send(request("POST /", "Expect: 100-continue", "Content-Length: 5"));
  assert.equal(statusOf(await client.response()), 100);
  client.send("hello");
  assert.equal((await client.response()).body, "hello");
  client.send(request("POST /refused", "Expect: 100-continue", "Content-Length: 5"));
  assert.deepEqual(valuesOf(await client.response(), "connection"), ["close"]);
  assert.equal((await client.ending()).rest, "");
});

test("while a client waits for its 100 it owes nothing, and behind it a body in time", async (scope) => {
  const told: unknown[] = [];
  const settings = { idleTimeoutMs: 1_000, bodyBytesPerSecondMin: 1_000_000, bodyRateMs: 1_500 };
  const { connect } = await serve(
    scope,
    (exchange) => {
      echo(exchange);
      const { handler } = exchange;
      exchange.handler = { ...handler, onAbort: (why) => void told.push(why) };
      setTimeout(() => exchange.continue(), 2_000);
    },
    { settings },
  );
  const post = request("POST /", "Expect: 100-continue", "Content-Length: 5");
  const client = await connect();
  client.send(post);
  assert.equal(statusOf(await client.response()), 100);
  client.send("he");
  await new Promise((resolve) => setTimeout(resolve, 50));
  client.send("llo");
  assert.equal((await client.response()).body, "hello");
  client.send(post);
  assert.equal(statusOf(await client.response()), 100);
  assert.equal(statusOf(await client.response()), 408);
  assert.deepEqual(told, [faults.bodyLate]);
});

test("a body that is paused is not read, and goes on where it stood", async (scope) => {
  let body = "";
  let exchange: ServerExchange | undefined;
  const { connect } = await serve(scope, (one) => {
    exchange = one;
    one.handler = {
      onData: (chunk) => {
        if (body === "") one.pause();
        body += chunk.toString("latin1");
      },
      onEnd: () => answer(one, String(body.length)),
      onDrain() {},
      onAbort() {},
    };
  });
  const client = await connect();
  client.send(request("POST /", "Content-Length: 20000000") + "x".repeat(20_000_000));
  await eventually("a piece", () => body !== "");
  const { length } = body;
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(body.length, length);
  assert.ok(client.socket.writableLength > 1_000_000, "the client is held back");
  exchange?.resume();
  assert.equal((await client.response()).body, "20000000");
});

test("a slow reader holds its answer back, and gets all of it", async (scope) => {
  let waits = 0;
  const piece = Buffer.alloc(100_000, "x");
  const { connect } = await serve(scope, (exchange) => {
    let left = 300;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (exchange.data(piece)) continue;
        waits += 1;
        return;
      }
      exchange.end();
    };
    exchange.handler = { onData() {}, onEnd() {}, onDrain: write, onAbort() {} };
    exchange.head(200, "OK", fieldsOf(["Content-Length", "30000000"]));
    write();
  });
  const client = await connect();
  client.socket.pause();
  client.send(get());
  await eventually("back-pressure", () => waits > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { rss } = process.memoryUsage();
  client.socket.resume();
  assert.equal((await client.response()).body.length, 30_000_000);
  assert.ok(rss > 0 && waits > 0);
});

test("an answer that is shorter or longer than its length breaks the connection", async (scope) => {
  const { connect } = await serve(scope, (exchange) => {
    exchange.head(200, "OK", fieldsOf(["Content-Length", "10"]));
    exchange.data(Buffer.from(path(exchange)));
    exchange.end();
  });
  for (const target of ["/short", "/far-too-long"]) {
    const client = await connect();
    client.send(get(target));
    assert.equal((await client.response()).whole, false);
  }
});

for (const [version, how] of [
  ["1.1", "fin"],
  ["1.0", "reset"],
] as const) {
  test(`an answer to HTTP/${version} that is broken off is seen not to be whole`, async (scope) => {
    let exchange: ServerExchange | undefined;
    const { connect } = await serve(scope, (one) => {
      exchange = one;
      one.head(200, "OK", NO_FIELDS);
      one.data(Buffer.from("hello"));
    });
    const client = await connect();
    client.send(head(`GET / HTTP/${version}`, "Host: a"));
    await client.has("hello");
    exchange?.breakOff();
    assert.equal((await client.response()).whole, false);
    assert.equal((await client.ending()).how, how);
  });
}

test("a head, a body and a connection that do not come in time end it", async (scope) => {
  const short = { headTimeoutMs: 150, keepAliveTimeoutMs: 150, idleTimeoutMs: 150 };
  const { connect } = await serve(scope, echo, { settings: short });
  for (const [bytes, expected] of [
    ["", /^$/],
    ["GET / HTTP/1.1\r\nHost:", /^HTTP\/1\.1 408 .*\r\nX-Rule: head-timeout/],
    ["GET /x\r\n", /^HTTP\/1\.1 408 /],
    [`${request("POST /", "Content-Length: 10")}abc`, /^HTTP\/1\.1 408 .*\r\nX-Rule: body-timeout/],
    [get(), /^HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n\r\nGET \/$/],
  ] as const) {
    const client = await connect();
    client.send(bytes);
    assert.match((await client.ending()).rest, expected, bytes);
  }
});

test("time in which no body was awaited counts against none", async (scope) => {
  const bodyRateMs = 300;
  const { connect } = await serve(scope, echo, { settings: { bodyBytesPerSecondMin: 1_000_000, bodyRateMs } });
  const [fresh, used] = [await connect(), await connect()];
  used.send(`${request("POST /", "Content-Length: 5")}whole`);
  assert.equal((await used.response()).body, "whole");
  await delay(2 * bodyRateMs);
  for (const client of [fresh, used]) client.send(`${request("POST /", "Content-Length: 10")}first`);
  // As long as the deadline of one that is too slow needs to come.
  await delay(5 * TICK_MS);
  for (const client of [fresh, used]) client.send("later");
  for (const client of [fresh, used]) assert.equal((await client.response()).body, "firstlater");
});

/** A body of which a piece is sent again and again, until that is stopped or the test is over. */
function dripping(scope: Scope, client: RawClient, piece: string, everyMs: number): () => void {
  client.send(request("POST /", "Content-Length: 1000000"));
  const timer = setInterval(() => client.send(piece), everyMs);
  const stop = () => clearInterval(timer);
  scope.after(stop);
  return stop;
}

test("neither a body that is too slow nor one that nobody reads is dripped past its end, however often", async (scope) => {
  const settings = { bodyBytesPerSecondMin: 1_000_000, bodyRateMs: 200 };
  const refusing = (exchange: ServerExchange) => answer(exchange, "no");
  const [rated, refused] = [await serve(scope, echo, { settings }), await serve(scope, refusing)];
  const clients = [await rated.connect(), await refused.connect()];
  for (const client of clients) dripping(scope, client, "x", TICK_MS / 5);
  const [slow, ignored] = await Promise.all(clients.map((client) => client.ending(12_000)));
  assert.match(slow?.rest ?? "", /^HTTP\/1\.1 408 .*\r\nX-Rule: body-timeout/);
  assert.match(ignored?.rest ?? "", /^HTTP\/1\.1 200 /);
});

test("a body that only drips is refused where there is a least rate, and one that comes fast is not", async (scope) => {
  const { connect } = await serve(scope, echo, { settings: { bodyBytesPerSecondMin: 1_000 } });
  const [slow, fast] = [await connect(), await connect()];
  dripping(scope, slow, "x", 100);
  const stop = dripping(scope, fast, "x".repeat(1_000), 100);
  assert.match((await slow.ending(9_000)).rest, /^HTTP\/1\.1 408 .*\r\nX-Rule: body-timeout/);
  stop();
  fast.send("x".repeat(1_000_000));
  assert.equal((await fast.response()).body.length, 1_000_000);
});

test("a request that waits for its answer has no deadline of the client's", async (scope) => {
  const short = { headTimeoutMs: 100, keepAliveTimeoutMs: 100, idleTimeoutMs: 100 };
  const { connect } = await serve(scope, (exchange) => void setTimeout(() => answer(exchange, "late"), 500), {
    settings: short,
  });
  const client = await connect();
  client.send(get());
  assert.equal((await client.response()).body, "late");
});

test("a server that drains ends each connection with its answer, and closes idle ones", async (scope) => {
  const { connect, http } = await serve(scope, echo);
  const [busy, idle] = [await connect(), await connect()];
  for (const client of [busy, idle]) {
    client.send(get());
    await client.response();
  }
  http.drain();
  busy.send(get());
  assert.deepEqual(valuesOf(await busy.response(), "connection"), ["close"]);
  assert.equal((await busy.ending()).rest, "");
  http.closeIdle();
  assert.equal((await idle.ending()).rest, "");
});

test("a client that asks for the end has it with its answer; what comes behind a body takes no answer with it", async (scope) => {
  const { connect, http } = await serve(scope, echo);
  const client = await connect();
  client.send(get("/", "Connection: close"));
  assert.deepEqual(valuesOf(await client.response(), "connection"), ["close"]);
  assert.equal((await client.ending()).rest, "");
  assert.equal(http.connections, 0);
  const odd = await connect();
  odd.send(`${request("POST /", "Content-Length: 5", "Connection: close")}hello`);
  assert.equal((await odd.response()).body, "hello");
  odd.send("\r\n");
  assert.deepEqual(await odd.ending(), { how: "fin", rest: "" });
});

test("where connections become scarce, the one that has been idle longest makes room", async (scope) => {
  const { connect, http } = await serve(scope, echo, { settings: { connectionsMax: 10 } });
  const clients = [];
  for (let index = 0; index < 30; index += 1) {
    const client = await connect();
    client.send(get());
    assert.equal((await client.response()).body, "GET /", `client ${index}`);
    clients.push(client);
  }
  await clients[0]?.ending();
  assert.ok(http.connections <= 10);
});

test("what is read too far before HTTP begins belongs to HTTP", async (scope) => {
  const { connect } = await serve(scope, echo, {
    prepare: (transport, serveHttp) => {
      transport.owner = {
        onBytes: (cursor) => {
          cursor.at += 5;
          transport.remoteAddress = "192.0.2.1";
          serveHttp(cursor);
        },
        onDrain() {},
        onEnd() {},
        onClose() {},
      };
    },
  });
  const client = await connect();
  client.send(`hello${get("/behind")}`);
  assert.equal((await client.response()).body, "GET /behind");
});

test("an address has as many connections as it may, and again when one of them has ended; an exempt one has any", async (scope) => {
  let refused = 0;
  let exempt = false;
  const perSource = {
    max: 2,
    isExempt: () => exempt,
    onRefused: () => {
      refused += 1;
    },
  };
  const { connect } = await serve(scope, echo, { perSource });
  const asks = async () => {
    const client = await connect();
    client.send(get());
    return { client, answer: await client.response().catch(() => undefined) };
  };
  const [one, two, three] = [await asks(), await asks(), await asks()];
  assert.deepEqual(
    [one, two, three].map(({ answer }) => answer === undefined),
    [false, false, true],
  );
  assert.equal(refused, 1);
  one.client.socket.destroy();
  await eventually("another one", async () => (await asks()).answer);
  exempt = true;
  assert.notEqual((await asks()).answer, undefined);
});
