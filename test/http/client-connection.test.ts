import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import type { Pool } from "../../services/http/client/pool.ts";
import { fieldsOf } from "../../services/http/message/fields.ts";
import { eventually } from "../tools/eventually.ts";
import { head } from "../tools/rules/row.ts";
import type { Scope } from "../tools/scope.ts";
import { then } from "../tools/wire/endings.ts";
import { answering, OK, RecordingOrigin, type Script } from "../tools/wire/recording-origin.ts";
import { unreachable } from "../tools/wire/unreachable.ts";
import { ask, type CLIENT_SETTINGS, get, Heard, poolTo, post } from "./asking.ts";

async function origin(scope: Scope, script?: Script, settings: Partial<typeof CLIENT_SETTINGS> = {}) {
  const server = await new RecordingOrigin().listen();
  scope.after(() => server.close());
  const recording = server.play(script);
  return { server, recording, pool: poolTo(scope, server.port, settings) };
}

/** One GET to a server that says this, and then ends. */
async function outcomeOf(scope: Scope, bytes: string, how: "end" | "reset" = "end"): Promise<string> {
  const { pool } = await origin(scope, then(how, bytes));
  return (await ask(pool, get()).over).outcome;
}

const chunkedHead = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked");

test("exchanges follow each other on one connection", async (scope) => {
  const { pool, recording } = await origin(scope);
  for (let round = 1; round <= 3; round += 1) {
    assert.equal((await ask(pool, get(`/${round}`)).over).outcome, "200 ok");
    assert.deepEqual([pool.connections, pool.idle], [1, 1]);
  }
  const lines = recording.whole.map(({ line }) => line);
  assert.deepEqual(lines, ["GET /1 HTTP/1.1", "GET /2 HTTP/1.1", "GET /3 HTTP/1.1"]);
});

test("exchanges at the same time have connections of their own, and the next one takes the one used last", async (scope) => {
  const { pool } = await origin(scope);
  const all = await Promise.all([1, 2, 3].map((round) => ask(pool, get(`/${round}`)).over));
  assert.deepEqual(
    all.map(({ outcome }) => outcome),
    ["200 ok", "200 ok", "200 ok"],
  );
  assert.deepEqual([pool.connections, pool.idle], [3, 3]);
});

test("a request's body goes with its length, or in chunks with trailers", async (scope) => {
  const { pool, recording } = await origin(scope);
  assert.equal((await ask(pool, post(5), "hello").over).outcome, "200 ok");
  const chunked = ask(pool, post(-1));
  chunked.exchange?.data(Buffer.from("he"));
  chunked.exchange?.data(Buffer.from(""));
  chunked.exchange?.data(Buffer.from("llo"));
  chunked.exchange?.end(["X-T", "1"]);
  assert.equal((await chunked.over).outcome, "200 ok");
  assert.deepEqual(
    recording.whole.map(({ body, framing, trailers }) => [body, framing, trailers]),
    [
      ["hello", "length", []],
      ["hello", "chunked", [["X-T", "1"]]],
    ],
  );
  assert.deepEqual(recording.faults, []);
});

test("a request that is given up in its body never becomes whole", async (scope) => {
  const { pool, recording, server } = await origin(scope);
  for (const length of [10, -1]) {
    const heard = ask(pool, post(length));
    heard.exchange?.data(Buffer.from("hello"));
    await eventually("the request", () => recording.begun.length > 0);
    heard.exchange?.abort();
    assert.equal(pool.connections, 0);
  }
  const shorter = ask(pool, post(10));
  shorter.exchange?.data(Buffer.from("hello"));
  shorter.exchange?.end();
  assert.equal(pool.connections, 0);
  assert.equal((await ask(poolTo(scope, server.port), get()).over).outcome, "200 ok");
  assert.deepEqual(
    recording.whole.map(({ line }) => line),
    ["GET / HTTP/1.1"],
  );
});

for (const [fact, bytes, outcome] of [
  ["a length", OK, "200 ok"],
  ["chunks", `${chunkedHead}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`, "200 hello"],
  ["the end of the connection", `${head("HTTP/1.1 200 OK")}hello`, "200 hello"],
  ["HTTP/1.0 and the end of the connection", `${head("HTTP/1.0 200 OK")}hello`, "200 hello"],
  ["nothing in it", head("HTTP/1.1 204 No Content"), "204 "],
  ["a reason past ASCII", `${head("HTTP/1.1 404 \xe9\xff", "Content-Length: 2")}no`, "404 no"],
] as const) {
  test(`a response with ${fact} is read`, async (scope) => assert.equal(await outcomeOf(scope, bytes), outcome));
}

for (const [fact, bytes, outcome] of [
  ["nothing at all", "", "reset"],
  ["half a head", "HTTP/1.1 200 OK\r\nContent-Le", "reset"],
  ["a 1xx alone", head("HTTP/1.1 103 Early Hints"), "reset"],
  ["junk", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed"],
  ["a control character in its reason", `${head("HTTP/1.1 200 O\x01K", "Content-Length: 2")}ok`, "malformed"],
  ["two lengths", `${head("HTTP/1.1 200 OK", "Content-Length: 2", "Content-Length: 2")}ok`, "malformed"],
  ["two framings", head("HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked"), "malformed"],
  ["a 101 that nobody asked for", head("HTTP/1.1 101 Switching Protocols", "Upgrade: x"), "malformed"],
  ["a head that never ends", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(70_000)}`, "malformed"],
  ["less than its length", `${head("HTTP/1.1 200 OK", "Content-Length: 10")}hello`, "truncated"],
  ["no last chunk", `${chunkedHead}5\r\nhello\r\n`, "truncated"],
  ["a chunk that is none", `${chunkedHead}5\r\nhello\r\nxyz\r\n`, "truncated"],
] as const) {
  test(`a response of ${fact} is a failure: ${outcome}`, async (scope) => {
    assert.equal(await outcomeOf(scope, bytes), outcome);
  });
}

test("a reset is no end of a body that only the end of the connection delimits", async (scope) => {
  const { pool } = await origin(scope, async (peer) => {
    peer.send(`${head("HTTP/1.1 200 OK")}hello`);
    setTimeout(() => peer.reset(), 50);
  });
  const heard = await ask(pool, get()).over;
  assert.deepEqual([heard.body, heard.outcome], ["hello", "truncated"]);
});

for (const [how, outcome] of [
  ["reset", "truncated"],
  ["end", "200 hello"],
] as const) {
  test(`of the last bytes and a ${how} that come together, the ${how} is told`, async (scope) => {
    const { pool } = await origin(scope, (peer) => {
      peer.send(`${head("HTTP/1.1 200 OK")}hello`);
      peer[how]();
    });
    for (let round = 0; round < 20; round += 1) {
      const heard = await ask(pool, get()).over;
      assert.deepEqual([heard.body, heard.outcome], ["hello", outcome]);
    }
  });
}

test("what failed says whether anything was sent, and whether the connection had been used before", async (scope) => {
  let answered = 0;
  const { pool } = await origin(scope, (peer) => {
    answered += 1;
    if (answered === 2) peer.reset();
    else peer.send(OK);
  });
  await ask(pool, get()).over;
  const { failure } = await ask(pool, get()).over;
  assert.deepEqual([failure?.kind, failure?.sent, failure?.reused], ["reset", true, true]);
  const refused = await ask(poolTo(scope, 1), get()).over;
  assert.deepEqual({ ...refused.failure }, { kind: "refused", reason: "ECONNREFUSED", sent: false, reused: false });
});

test("a server that takes no connection, says nothing, or stops in the middle is given up in time", async (scope) => {
  const silent = await unreachable();
  scope.after(() => silent.close());
  const short = { connectTimeoutMs: 200, idleTimeoutMs: 200 };
  const { failure } = await ask(poolTo(scope, silent.port, short), get()).over;
  assert.deepEqual([failure?.kind, failure?.sent], ["connect-timeout", false]);
  const mute = await origin(scope, () => {}, short);
  assert.equal((await ask(mute.pool, get("/", { responseTimeoutMs: 300 })).over).outcome, "response-timeout");
  const half = await origin(scope, (peer) => peer.send(`${head("HTTP/1.1 200 OK", "Content-Length: 9")}half`), short);
  assert.equal((await ask(half.pool, get()).over).outcome, "truncated");
  assert.deepEqual([mute.pool.connections, half.pool.connections], [0, 0]);
});

test("a head that drips, and 1xx after 1xx, do not prolong the wait for the response", async (scope) => {
  for (const piece of ["X", head("HTTP/1.1 102 Processing")]) {
    const { pool } = await origin(scope, (peer) => {
      if (piece === "X") peer.send("HTTP/1.1 200 OK\r\nX-A: ");
      const drip = setInterval(() => peer.send(piece), 20);
      peer.socket.once("close", () => clearInterval(drip));
    });
    const began = performance.now();
    assert.equal((await ask(pool, get("/", { responseTimeoutMs: 400 })).over).outcome, "response-timeout");
    assert.ok(performance.now() - began < 1_000);
  }
});

test("every 1xx is heard, and there is an end to them", async (scope) => {
  const hints = head("HTTP/1.1 103 Early Hints", "Link: </a>");
  const { pool } = await origin(scope, answering(head("HTTP/1.1 100 Continue") + hints + OK));
  const heard = await ask(pool, get()).over;
  assert.deepEqual([heard.informational, heard.outcome], [[100, 103], "200 ok"]);
  const flood = await origin(scope, answering(hints.repeat(1_000)));
  const drowned = await ask(flood.pool, get()).over;
  assert.deepEqual([drowned.outcome, drowned.informational.length], ["malformed", 64]);
});

test("an answer before the end of the request is heard whole, and its connection not used again", async (scope) => {
  const { pool } = await origin(scope, (peer) => peer.send(`${head("HTTP/1.1 413 No", "Content-Length: 2")}no`));
  const heard = ask(pool, post(1_000_000));
  heard.exchange?.data(Buffer.alloc(1_000));
  assert.equal((await heard.over).outcome, "413 no");
  assert.equal(pool.connections, 0);
  assert.equal(heard.exchange?.data(Buffer.alloc(1_000)), true);
});

test("request and response may go on beside each other", async (scope) => {
  const { pool } = await origin(scope, (peer) => {
    peer.send(chunkedHead);
    peer.socket.on("data", () => peer.send("1\r\nx\r\n"));
    void peer.whole.then(() => peer.send("0\r\n\r\n"));
  });
  const heard = ask(pool, post(-1));
  for (let turn = 1; turn <= 5; turn += 1) {
    await eventually("a turn", () => heard.head !== undefined && heard.body.length >= turn - 1);
    heard.exchange?.data(Buffer.from("y"));
    await eventually("an answer", () => heard.body.length >= turn);
  }
  heard.exchange?.end();
  assert.equal((await heard.over).head?.status, 200);
});

for (const [fact, surplus] of [
  ["another response", OK],
  ["junk", "\r\n\r\njunk"],
  ["a byte", "x"],
]) {
  test(`behind ${fact} that nobody asked for a connection is not used again`, async (scope) => {
    const { pool, server } = await origin(scope, answering(OK + surplus));
    assert.equal((await ask(pool, get()).over).outcome, "200 ok");
    assert.equal(pool.connections, 0);
    let push = () => {};
    server.play((peer) => {
      peer.send(OK);
      push = () => peer.send(surplus as string);
    });
    assert.equal((await ask(pool, get()).over).outcome, "200 ok");
    assert.equal(pool.idle, 1);
    push();
    await eventually("the end of the idle connection", () => pool.connections === 0);
    server.play();
    assert.equal((await ask(pool, get()).over).outcome, "200 ok");
  });
}

for (const [fact, bytes] of [
  ["it says close", `${head("HTTP/1.1 200 OK", "Connection: close", "Content-Length: 2")}ok`],
  ["it is HTTP/1.0", `${head("HTTP/1.0 200 OK", "Content-Length: 2")}ok`],
  [
    "it has chunks in HTTP/1.0",
    `${head("HTTP/1.0 200 OK", "Connection: keep-alive", "Transfer-Encoding: chunked")}2\r\nok\r\n0\r\n\r\n`,
  ],
  ["a body is behind a 304", `${head("HTTP/1.1 304 No", "Content-Length: 2")}ok`],
  ["it keeps it for 2 s only", `${head("HTTP/1.1 200 OK", "Keep-Alive: timeout=2", "Content-Length: 2")}ok`],
]) {
  test(`a connection is not used again when ${fact}`, async (scope) => {
    const { pool } = await origin(scope, answering(bytes as string));
    const heard = await ask(pool, get()).over;
    assert.equal(heard.failure, undefined);
    assert.equal(pool.connections, 0);
  });
}

test("the response to a HEAD has no body, and the connection goes on", async (scope) => {
  const { pool } = await origin(scope, answering(head("HTTP/1.1 200 OK", "Content-Length: 1234")));
  assert.equal((await ask(pool, get("/", { method: "HEAD" })).over).outcome, "200 ");
  assert.equal(pool.idle, 1);
});

test("trailers come with the end", async (scope) => {
  const { pool } = await origin(scope, answering(`${chunkedHead}2\r\nok\r\n0\r\nX-T: 1\r\n\r\n`));
  assert.deepEqual((await ask(pool, get()).over).trailers, ["X-T", "1"]);
});

test("a connection that its server closes while it is idle is gone from the pool", async (scope) => {
  let close = () => {};
  const { pool, server } = await origin(scope, (peer) => {
    peer.send(OK);
    close = () => peer.end();
  });
  await ask(pool, get()).over;
  close();
  await eventually("its end", () => pool.connections === 0);
  server.play();
  assert.equal((await ask(pool, get()).over).outcome, "200 ok");
});

test("an idle connection is closed before a server would, and no earlier", async (scope) => {
  const { pool } = await origin(scope);
  await ask(pool, get()).over;
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.equal(pool.idle, 1);
  await eventually("its end", () => pool.connections === 0, 1_500);
});

test("a pool that is closed ends what is idle at once, and the rest when it is over", async (scope) => {
  let answer = () => {};
  const { pool } = await origin(scope, (peer) => {
    if (peer.head.line.includes("/slow")) answer = () => peer.send(OK);
    else peer.send(OK);
  });
  const slow = ask(pool, get("/slow"));
  await ask(pool, get()).over;
  await eventually("the request", () => `${answer}`.includes("OK"));
  pool.close();
  assert.deepEqual([pool.connections, pool.idle], [1, 0]);
  answer();
  assert.equal((await slow.over).outcome, "200 ok");
  assert.equal(pool.connections, 0);
});

test("a pool that is destroyed fails what is under way", async (scope) => {
  const { pool } = await origin(scope, () => {});
  const heard = ask(pool, get());
  pool.destroy();
  assert.equal((await heard.over).outcome, "reset");
});

class Slow extends Heard {
  override onData(chunk: Buffer): void {
    if (this.body === "") this.exchange?.pause();
    super.onData(chunk);
  }
}

test("a response that is paused holds its server back, without a deadline, and goes on", async (scope) => {
  let sent = 0;
  const settings = { idleTimeoutMs: 300 };
  const { pool } = await origin(
    scope,
    (peer) => {
      peer.send(head("HTTP/1.1 200 OK", "Content-Length: 20000000"));
      peer.socket.write("x".repeat(20_000_000), () => {
        sent = 20_000_000;
      });
    },
    settings,
  );
  const heard = new Slow();
  heard.exchange = pool.request(get(), heard);
  await eventually("a piece", () => heard.body !== "");
  await new Promise((resolve) => setTimeout(resolve, 700));
  assert.equal(sent, 0);
  assert.ok(heard.body.length <= 64 * 1024, `${heard.body.length} bytes came`);
  heard.exchange.resume();
  assert.equal((await heard.over).body.length, 20_000_000);
});

test("a server that takes a body slowly holds its sender back, and the sender goes on", async (scope) => {
  const { pool, recording } = await origin(scope, async (peer) => {
    peer.socket.pause();
    setTimeout(() => peer.socket.resume(), 300);
    await peer.whole;
    peer.send(OK);
  });
  const heard = ask(pool, post(20_000_000));
  const piece = Buffer.alloc(100_000, "y");
  for (let sent = 0; sent < 20_000_000; sent += piece.length) {
    const { drains } = heard;
    if (heard.exchange?.data(piece) === false) await eventually("a drain", () => heard.drains > drains);
  }
  heard.exchange?.end();
  assert.equal((await heard.over).outcome, "200 ok");
  assert.ok(heard.drains > 0);
  assert.equal(recording.whole[0]?.body.length, 20_000_000);
});

test("exchanges that are given up leave nothing behind", async (scope) => {
  const { pool } = await origin(scope, () => {});
  const asked: Pool[] = [];
  for (let round = 0; round < 50; round += 1) ask(pool, get()).exchange?.abort();
  const { exchange } = ask(pool, get());
  await eventually("a connection", () => pool.connections === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  exchange?.abort();
  assert.deepEqual([pool.connections, pool.idle, asked.length], [0, 0, 0]);
});

test("headers go as they are given", async (scope) => {
  const { pool, recording } = await origin(scope);
  const fields = fieldsOf(["Host", "a.test", "x-ODD", "caf\xc3\xa9", "X-A", "", "X-A", "2"]);
  await ask(pool, get("//a//b/../%2e?x=%zz", { fields })).over;
  const [message] = recording.whole;
  assert.equal(message?.line, "GET //a//b/../%2e?x=%zz HTTP/1.1");
  assert.deepEqual(message?.headers.slice(1), [
    ["x-ODD", "caf\xc3\xa9"],
    ["X-A", ""],
    ["X-A", "2"],
  ]);
});

test("a port that nobody listens on is free to be asked again and again", async (scope) => {
  const probe = connect(1, "127.0.0.1");
  await once(probe, "error");
  const pool = poolTo(scope, 1);
  for (let round = 0; round < 20; round += 1) assert.equal((await ask(pool, get()).over).outcome, "refused");
  assert.equal(pool.connections, 0);
});
