// Rows 38 and 39: what a client is told when nobody can answer it, and when it asks for more than it may have.

import assert from "node:assert/strict";
import { within } from "../../eventually.ts";
import { valuesOf } from "../../wire/http-bytes.ts";
import { answering, OK } from "../../wire/recording-origin.ts";
import { unreachable } from "../../wire/unreachable.ts";
import { gate, PATIENCE_MS } from "../../wire/waiting.ts";
import { type Bench, head, played, type Row, refused, request } from "../row.ts";
import { check, fence } from "../run-row.ts";
import { type Behind, RESPONSE_TIMEOUT_MS } from "../topology.ts";

const REFUSING: Behind = { port: 1 };

/** Other members for as long as the play lasts. */
function behind(fact: string, members: readonly Behind[], play: (bench: Bench) => Promise<void>): Row {
  return played([38, "9110 15.6", fact], async (bench) => {
    await bench.at.register(members);
    try {
      await play(bench);
    } finally {
      await bench.at.restore();
    }
  });
}

const post = `${request("POST /", "Content-Length: 2")}ab`;
const upgrade = request("GET /", "Connection: Upgrade", "Upgrade: websocket");

function nobody(fact: string, bytes: string): Row {
  return behind(fact, [{ port: 1, state: "draining" }], async ({ connect }) => {
    const client = await connect();
    client.send(bytes);
    const answer = await client.final();
    check(answer, { status: 503 });
    assert.match(valuesOf(answer, "retry-after").join(), /^\d+$/);
  });
}

function refusing(fact: string, bytes: string): Row {
  return behind(fact, [REFUSING, REFUSING], async ({ connect }) => {
    const client = await connect();
    client.send(bytes);
    check(await client.final(), { status: 502 });
  });
}

function outOfReach(what: string, bytes: string): Row {
  return played([38, "9110 15.6.5", `a member that takes no connection is a 504 for ${what}`], async (bench) => {
    const { at, connect } = bench;
    const silent = await unreachable();
    try {
      await at.register([{ port: silent.port }]);
      const client = await connect();
      client.send(bytes);
      const answer = await client.final();
      check(answer, { status: 504, has: ["X-LB-Error: connect-timeout"] });
    } finally {
      await silent.close();
      await at.restore();
    }
  });
}

const statuses: readonly Row[] = [
  nobody("when nobody serves, a GET gets 503 and when to come again", request("GET /")),
  nobody("when nobody serves, a POST gets 503", post),
  nobody("when nobody serves, an upgrade gets 503", upgrade),
  nobody(
    "when nobody serves, a client that waits with its body gets 503",
    request("POST /", "Expect: 100-continue", "Content-Length: 2"),
  ),
  refusing("when every member refuses, a GET gets 502", request("GET /")),
  refusing("when every member refuses, a POST gets 502", post),
  refusing("when every member refuses, an upgrade gets 502", upgrade),
  refusing(
    "when every member refuses, a client that waits with its body gets 502",
    request("POST /", "Expect: 100-continue", "Content-Length: 2"),
  ),
  played(
    [38, "9110 15.6.5", "an answer that does not come is a 504, and the POST is not repeated"],
    async ({ connect, script }) => {
      let attempts = 0;
      script(() => {
        attempts += 1;
      });
      const client = await connect();
      client.send(post);
      check(await client.final(), { status: 504 });
      assert.equal(attempts, 1);
    },
  ),
  played([38, "9110 15.6.5", "a member that takes an upload slowly is not late"], async ({ connect, script }) => {
    const late = gate();
    const recording = script(async ({ socket, whole }) => {
      const slowUntil = Date.now() + RESPONSE_TIMEOUT_MS + 500;
      socket.on("data", () => {
        if (Date.now() > slowUntil) return late.open();
        socket.pause();
        setTimeout(() => socket.resume(), 200);
      });
      await whole;
      socket.write(OK);
    });
    const client = await connect();
    client.send(`${request("POST /", "Content-Length: 12000000")}${"x".repeat(11_999_999)}`);
    await within(PATIENCE_MS, "the end of the member's slowness", late.opened);
    client.send("x");
    check(await client.final(), { status: 200 });
    assert.deepEqual(
      recording.whole.map(({ body }) => body.length),
      [12_000_000],
    );
  }),
  outOfReach("a GET", request("GET /")),
  outOfReach("a POST", post),
  outOfReach("OPTIONS *", request("OPTIONS *")),
  outOfReach("a client that waits with its body", request("POST /", "Expect: 100-continue", "Content-Length: 2")),
  played([38, "9110 15.6.3", "a status of the origin's own stays"], async ({ connect, script }) => {
    const client = await connect();
    for (const status of [500, 501, 502, 503, 504, 429, 404]) {
      script(answering(`${head(`HTTP/1.1 ${status} Mine`, "Retry-After: 7", "Content-Length: 4")}mine`));
      client.send(post);
      check(await client.final(), { status, body: "mine", headers: ["Retry-After: 7"] });
    }
    await fence(client);
  }),
];

const limits: readonly Row[] = [
  refused([39, "6585 5", "a header of 17 KB is too large"], request("GET /", `X: ${"a".repeat(17_000)}`), 431),
  refused(
    [39, "6585 5", "headers of 17 KB in all are too large"],
    request("GET /", ...Array.from({ length: 40 }, (_, index) => `X-${index}: ${"a".repeat(420)}`)),
    431,
  ),
  refused(
    [39, "6585 5", "101 headers are too many"],
    request("GET /", ...Array.from({ length: 100 }, (_, index) => `X-${index}: 1`)),
    431,
  ),
  refused([39, "9110 15.5.15", "a target of 17 KB is too long"], request(`GET /${"a".repeat(17_000)}`), [414, 431]),
  refused(
    [39, "9110 15.5.14", "a length past the limit is refused before the body"],
    request("POST /", "Content-Length: 20000001"),
    413,
  ),
  played([39, "9110 15.5.14", "a body that turns out to be past the limit is refused"], async ({ connect, script }) => {
    const recording = script(answering(head("HTTP/1.1 204 No Content")));
    const client = await connect();
    const chunk = `100000\r\n${"x".repeat(0x100000)}\r\n`;
    client.send(request("POST /", "Transfer-Encoding: chunked") + chunk.repeat(20));
    check(await client.final(), { status: 413 });
    assert.deepEqual(recording.whole, []);
  }),
  ...["GET / HTTP/1.1\r\nHost:", "GET /x\r\n", ""].map((bytes): Row => {
    const { rule, section } = { rule: 39, section: "9110 15.5.9" };
    const fact = `${bytes === "" ? "nothing" : JSON.stringify(bytes)} and no more is waited for some seconds only`;
    const play = async ({ connect }: Bench) => {
      const client = await connect();
      client.send(bytes);
      const { rest } = await client.ending(15_000);
      assert.match(rest, bytes === "" ? /^(HTTP\/1\.1 408 .*)?$/s : /^HTTP\/1\.1 408 /);
    };
    return { rule, section, fact, play, slow: true };
  }),
];

export const statusesAndLimits: readonly Row[] = [...statuses, ...limits];
