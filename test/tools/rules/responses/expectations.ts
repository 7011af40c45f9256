// Rows 22 and 23: what a client may wait for before it sends its body.

import assert from "node:assert/strict";
import { within } from "../../eventually.ts";
import { type Message, statusOf, valuesOf } from "../../wire/http-bytes.ts";
import { answering, OK, type Script } from "../../wire/recording-origin.ts";
import { gate, PATIENCE_MS } from "../../wire/waiting.ts";
import { type Bench, head, played, type Row, refused, request } from "../row.ts";
import { check, fence } from "../run-row.ts";

const CONTINUE = head("HTTP/1.1 100 Continue");
const expecting = (method = "POST") => request(`${method} /`, "Expect: 100-continue", "Content-Length: 5");

/** The client waits with its body; `then` is what comes of it. */
function expects(
  fact: string,
  script: Script,
  then: (bench: Bench, client: Awaited<ReturnType<Bench["connect"]>>) => Promise<void>,
): Row {
  return played([22, "9110 10.1.1", fact], async (bench) => {
    const recording = bench.script(script);
    const client = await bench.connect();
    client.send(expecting());
    await then(bench, client);
    for (const message of recording.whole) assert.equal(message.body, "hello");
  });
}

/** The origin's final answer instead of a 100: the client has it before it sent anything, and never gets to send. */
function declined(status: number): Row {
  return played(
    [22, "9110 10.1.1", `a ${status} instead of a 100 reaches the client, and no body is sent`],
    async ({ connect, script }) => {
      const recording = script((peer) =>
        peer.send(`${head(`HTTP/1.1 ${status} No`, "X-A: 1", "Content-Length: 2")}no`),
      );
      const client = await connect();
      client.send(expecting());
      check(await client.response(), { status, body: "no", headers: ["X-A: 1"] });
      // Whether it sends the body all the same cannot be known: nothing may follow on its connection.
      assert.equal((await client.ending()).rest, "");
      await fence(await connect());
      assert.deepEqual(recording.whole, []);
      assert.equal(recording.begun.length, 1);
      assert.deepEqual(valuesOf(recording.begun[0] as Message, "expect"), ["100-continue"]);
    },
  );
}

/** All of it: 100, body, answer. */
async function goesOn(client: Awaited<ReturnType<Bench["connect"]>>, body = "hello"): Promise<void> {
  assert.equal(statusOf(await client.response()), 100);
  client.send(body);
  check(await client.response(), { status: 200, body: "ok" });
  await fence(client);
}

const continues: Script = async (peer) => {
  peer.send(CONTINUE);
  await peer.whole;
  peer.send(OK);
};

export const expectations: readonly Row[] = [
  played([22, "9110 10.1.1", "the origin's 100 is what makes the client send"], async ({ connect, script }) => {
    const asked = gate();
    const looked = gate();
    const recording = script(async (peer) => {
      asked.open();
      await looked.opened;
      await continues(peer);
    });
    const client = await connect();
    client.send(expecting());
    await within(PATIENCE_MS, "request at the origin", asked.opened);
    assert.deepEqual([recording.begun.length, recording.whole.length], [1, 0]);
    looked.open();
    await goesOn(client);
    assert.deepEqual(
      recording.whole.map(({ body }) => body),
      ["hello"],
    );
  }),
  ...[417, 413, 401, 307, 500].map(declined),
  expects(
    "an origin that knows nothing of Expect gets the body after a while",
    answering(OK),
    async (_bench, client) => {
      await goesOn(client);
    },
  ),
  expects("a client need not wait for the 100", answering(OK), async (_bench, client) => {
    client.send("hello");
    check(await client.final(), { status: 200, body: "ok" });
    await fence(client);
  }),
  expects(
    "a 103 before the 100 reaches the client",
    async (peer) => {
      peer.send(head("HTTP/1.1 103 Early Hints", "Link: </a>"));
      await continues(peer);
    },
    async (_bench, client) => {
      assert.equal(statusOf(await client.response()), 103);
      await goesOn(client);
    },
  ),
  played(
    [22, "9110 10.1.1", "the expectation's case does not matter, nor how the body is framed"],
    async ({ connect, script }) => {
      const recording = script(continues);
      const client = await connect();
      client.send(request("PUT /", "expect: 100-Continue", "Transfer-Encoding: chunked"));
      await goesOn(client, "5\r\nhello\r\n0\r\n\r\n");
      assert.deepEqual(
        recording.whole.map(({ body, framing }) => [body, framing]),
        [["hello", "chunked"]],
      );
    },
  ),
  played([22, "9110 10.1.1", "an expectation without a body is answered all the same"], async ({ connect, script }) => {
    const recording = script(answering(OK));
    const client = await connect();
    client.send(request("GET /", "Expect: 100-continue"));
    check(await client.final(), { status: 200, body: "ok" });
    assert.equal(recording.whole.length, 1);
  }),
  played([22, "9110 10.1.1", "an HTTP/1.0 client's expectation is ignored"], async ({ connect, script }) => {
    const recording = script(answering(OK));
    const client = await connect();
    client.send(`${head("POST / HTTP/1.0", "Host: a.test", "Expect: 100-continue", "Content-Length: 5")}hello`);
    check(await client.response(), { status: 200, body: "ok" });
    assert.deepEqual(
      recording.whole.map(({ body }) => body),
      ["hello"],
    );
  }),
  played(
    [22, "9110 9.2.2", "a body that waits for its 100 goes to the member that can be reached"],
    async ({ at, connect, script }) => {
      const recording = script(continues);
      await at.register([{ port: 1 }, { port: at.origin.port }, { port: 1 }]);
      try {
        for (let round = 0; round < 3; round += 1) {
          const client = await connect();
          client.send(expecting());
          await goesOn(client);
        }
      } finally {
        await at.restore();
      }
      assert.deepEqual(
        recording.whole.map(({ body }) => body),
        ["hello", "hello", "hello"],
      );
    },
  ),
  played(
    [22, "9110 9.2.2", "a PUT that waits for its 100 is repeated when its member breaks"],
    async ({ at, connect, script }) => {
      let attempts = 0;
      await at.restore();
      const recording = script((peer) => {
        attempts += 1;
        return attempts === 1 ? peer.reset() : continues(peer);
      });
      const client = await connect();
      client.send(expecting("PUT"));
      await goesOn(client);
      assert.deepEqual([attempts, recording.whole.map(({ body }) => body)], [2, ["hello"]]);
    },
  ),
  played(
    [22, "9110 9.2.2", "a POST that waits for its 100 is not repeated when its member breaks"],
    async ({ at, connect, script }) => {
      let attempts = 0;
      await at.restore();
      script((peer) => {
        attempts += 1;
        peer.reset();
      });
      const client = await connect();
      client.send(expecting());
      check(await client.final(), { status: 502 });
      assert.equal(attempts, 1);
    },
  ),
  ...["foo", "100-continue, foo", "100-continued", "x=100-continue"].map((value) =>
    refused([23, "9110 10.1.1", `Expect: ${value} is refused with 417`], request("GET /", `Expect: ${value}`), 417),
  ),
  refused(
    [23, "9110 10.1.1", "one unknown expectation of two is refused with 417"],
    request("GET /", "Expect: foo", "Expect: 100-continue"),
    417,
  ),
  refused(
    [23, "9110 10.1.1", "an unknown expectation with a body is refused before the body"],
    request("POST /", "Expect: foo", "Content-Length: 5"),
    417,
  ),
];
