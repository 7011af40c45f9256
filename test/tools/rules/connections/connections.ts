// Rows 33-36: what follows what on a connection, and when it ends.

import assert from "node:assert/strict";
import { within } from "../../eventually.ts";
import { statusOf } from "../../wire/http-bytes.ts";
import { answering, OK, type Script } from "../../wire/recording-origin.ts";
import { gate, PATIENCE_MS } from "../../wire/waiting.ts";
import { type Exchanged, head, played, type Row, request } from "../row.ts";
import { check, fence } from "../run-row.ts";

const ok = { status: 200, body: "ok" };
const okWith = (body: string) => `${head("HTTP/1.1 200 OK", `Content-Length: ${body.length}`)}${body}`;

/** More than any buffer on the way holds. */
const LARGE = 12_000_000;
const upload = (length = LARGE) => `${request("POST /upload", `Content-Length: ${length}`)}${"x".repeat(length)}`;
const TOO_LARGE = `${head("HTTP/1.1 413 Content Too Large", "Content-Length: 9")}too large`;

const unread: readonly Row[] = [
  played([33, "9112 9.3", "an answer before the end of an upload reaches the client"], async ({ connect, script }) => {
    script((peer) => {
      peer.socket.pause();
      peer.send(TOO_LARGE);
    });
    const client = await connect();
    client.send(upload());
    check(await client.final(), { status: 413, body: "too large" });
  }),
  played(
    [33, "9112 9.3", "an answer before the end of an upload that is read to its end reaches the client"],
    async ({ connect, script }) => {
      script((peer) => peer.send(TOO_LARGE));
      const client = await connect();
      client.send(upload());
      check(await client.final(), { status: 413, body: "too large" });
    },
  ),
  played([33, "9112 9.6", "a refusal before the end of an upload reaches the client"], async ({ connect }) => {
    const client = await connect();
    client.send(upload().replace("Host: a.test", "Host: a.test\r\nHost: b.test"));
    assert.equal(statusOf(await client.final()), 400);
    assert.equal((await client.ending()).rest, "");
  }),
  played(
    [33, "9112 9.3", "what is left of an upload is never taken for the next request"],
    async ({ connect, script }) => {
      const recording = script((peer) => peer.send(TOO_LARGE));
      const client = await connect();
      const smuggled = request("GET /smuggled");
      client.send(request("POST /upload", `Content-Length: ${1_000_000 + smuggled.length}`) + "x".repeat(1_000_000));
      check(await client.final(), { status: 413 });
      client.send(smuggled);
      await fence(await connect());
      assert.deepEqual(
        recording.whole.filter(({ line }) => line.includes("smuggled")),
        [],
      );
    },
  ),
];

/** /slow is answered once /fast has been. */
function slowAfterFast(): Script {
  const fastAnswered = gate();
  return async (peer) => {
    await peer.whole;
    if (peer.head.line.includes("/slow")) await fastAnswered.opened;
    peer.send(okWith(peer.head.line));
    fastAnswered.open();
  };
}

const get = (path: string) => request(`GET ${path}`);

/** What the second one changes or sees must not depend on who is faster. */
function inTurn([slow, fast]: readonly [string, string]): Row {
  const [one, other] = [slow, fast].map((bytes) => bytes.split(" ")[0]);
  return played([34, "9112 9.3.2", `a ${one} is over before the ${other} behind it begins`], async (bench) => {
    const mayAnswer = gate();
    const recording = bench.script(async (peer) => {
      await peer.whole;
      if (peer.head.line.includes("/slow")) await mayAnswer.opened;
      peer.send(okWith(peer.head.line));
    });
    const client = await bench.connect();
    client.send(slow + fast);
    // By the time a request on another connection has been answered, the second would be there too.
    await fence(await bench.connect());
    assert.deepEqual(
      recording.whole.map(({ line }) => line.split(" ")[1]),
      ["/slow"],
    );
    mayAnswer.open();
    assert.match((await client.response()).body, / \/slow /);
    assert.match((await client.response()).body, / \/fast /);
    await fence(client);
  });
}

const pipelines: readonly Row[] = [
  played([34, "9112 9.3.2", "answers come in the order of their requests"], async ({ connect, script }) => {
    script(slowAfterFast());
    const client = await connect();
    client.send(get("/slow") + get("/fast"));
    check(await client.response(), { status: 200, body: "GET /slow HTTP/1.1" });
    check(await client.response(), { status: 200, body: "GET /fast HTTP/1.1" });
    await fence(client);
  }),
  ...["GET / HTTP/1.1\r\nX Y: 1\r\n\r\n", "junk\r\n\r\n", request("CONNECT a.test:443")].map((bad) =>
    played(
      [34, "9112 9.3.2", `what comes before ${JSON.stringify(bad.slice(0, 4))} is answered first`],
      async ({ connect, script }) => {
        script(slowAfterFast());
        const client = await connect();
        client.send(get("/slow") + get("/fast") + bad);
        check(await client.response(), { status: 200, body: "GET /slow HTTP/1.1" });
        check(await client.response(), { status: 200, body: "GET /fast HTTP/1.1" });
        check(await client.response(), { status: [400, 405] });
        assert.equal((await client.ending()).rest, "");
      },
    ),
  ),
  played([34, "9112 9.3.2", "what comes before a refused request is answered first"], async ({ connect, script }) => {
    script(slowAfterFast());
    const client = await connect();
    client.send(get("/slow") + get("/fast") + get("/a#b") + get("/never"));
    check(await client.response(), { status: 200, body: "GET /slow HTTP/1.1" });
    check(await client.response(), { status: 200, body: "GET /fast HTTP/1.1" });
    check(await client.response(), 400);
    assert.equal((await client.ending()).rest, "");
  }),
  exchanged(34, "9112 9.3.2", "many requests in one segment are all answered", {
    request: "0123456789"
      .split("")
      .map((digit) => get(`/${digit}`))
      .join(""),
    answers: Array.from({ length: 10 }, () => ok),
    after: "open",
    upstream: "0123456789".split("").map((digit) => get(`/${digit}`)),
  }),
  ...[
    [request("DELETE /slow"), get("/fast")],
    [get("/slow"), request("DELETE /fast")],
    [`${request("POST /slow", "Content-Length: 2")}ab`, `${request("POST /fast", "Content-Length: 2")}cd`],
  ].map((pair) => inTurn(pair as [string, string])),
  exchanged(35, "9112 9.6", "after Connection: close nothing is answered any more", {
    request: request("GET /", "Connection: close") + get("/never"),
    ...{ answers: [{ ...ok, has: ["Connection: close"] }], after: "closed", upstream: [get("/")] },
  }),
  exchanged(35, "9112 9.6", "close is heard among other words and in any case", {
    request: request("GET /", "Connection: foo, CLOSE") + get("/never"),
    ...{ answers: [ok], after: "closed", upstream: [get("/")] },
  }),
  exchanged(35, "9112 9.3", "HTTP/1.0 closes unless it says otherwise", {
    request: head("GET / HTTP/1.0", "Host: a.test") + get("/never"),
    ...{ answers: [ok], after: "closed", upstream: [get("/")] },
  }),
  exchanged(35, "9112 9.6", "the origin's close is not the client's", {
    request: get("/"),
    origin: answering(okWith("ok").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")),
    ...{ answers: [ok], after: "open", upstream: [get("/")] },
  }),
];

function exchanged(rule: number, section: string, fact: string, parts: Exchanged): Row {
  return { rule, section, fact, ...parts };
}

const evil = okWith("evil");

const idle: readonly Row[] = [
  exchanged(36, "9112 9.2", "a second response behind the first answers nobody", {
    ...{ request: get("/"), origin: OK + evil, answers: [ok], after: "open", upstream: [get("/")] },
  }),
  exchanged(36, "9112 9.2", "junk behind a response answers nobody", {
    ...{ request: get("/"), origin: `${OK}\r\n\r\njunk`, answers: [ok], after: "open", upstream: [get("/")] },
  }),
  played(
    [36, "9112 9.2", "a response on an idle connection answers nobody, and closes it"],
    async ({ connect, script }) => {
      let push = () => {};
      let closed: Promise<void> = new Promise(() => {});
      script(async (peer) => {
        await peer.whole;
        peer.send(OK);
        push = () => peer.send(evil);
        ({ closed } = peer);
      });
      const client = await connect();
      client.send(get("/"));
      check(await client.response(), ok);
      push();
      await within(PATIENCE_MS, "end of the connection that spoke unasked", closed);
      for (let round = 0; round < 3; round += 1) await fence(client);
    },
  ),
];

export const connections: readonly Row[] = [...unread, ...pipelines, ...idle];
