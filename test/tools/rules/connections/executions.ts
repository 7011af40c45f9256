// Rows 37 and 40: how often a request is executed, and what becomes of it when its client leaves.

import assert from "node:assert/strict";
import { within } from "../../eventually.ts";
import { statusOf } from "../../wire/http-bytes.ts";
import { answering, OK, type Script } from "../../wire/recording-origin.ts";
import { gate, PATIENCE_MS } from "../../wire/waiting.ts";
import { type Bench, head, played, type Row, request } from "../row.ts";
import { check } from "../run-row.ts";

const ABORT_MS_MAX = 1_000;
const ok = { status: 200, body: "ok" };
const get = (path: string) => request(`GET ${path}`);

const LARGE_BODY = "x".repeat(100_000);
const post = (method: string, body: string) => `${request(`${method} /`, `Content-Length: ${body.length}`)}${body}`;

/** Enough for every member to have had one: the first with a body goes another way than those behind it (line.ts). */
const MEETINGS = 10;

async function meet({ connect, script }: Bench): Promise<void> {
  script(answering(OK));
  const client = await connect();
  for (let meeting = 0; meeting < MEETINGS; meeting += 1) {
    client.send(post("POST", "hello"));
    check(await client.final(), ok);
  }
}

/** The first attempt breaks, any other is answered. */
async function breaking(bench: Bench, { how, met }: Breaking, bytes: string) {
  await bench.at.restore();
  if (met) await meet(bench);
  let attempts = 0;
  const recording = bench.script(async (peer) => {
    attempts += 1;
    await peer.whole;
    if (attempts > 1) peer.send(OK);
    else if (how === "reset") peer.reset();
    else peer.end();
  });
  const client = await bench.connect();
  client.send(bytes);
  const answer = await client.final();
  return { status: statusOf(answer), bodies: recording.whole.map(({ body }) => body.length) };
}

interface Breaking {
  readonly how: "reset" | "end";
  /** Have the members had a request with a body before? */
  readonly met: boolean;
}

function repeated(fact: string, bytes: string, expected: { status: number; bodies: number[] }): Row[] {
  const ways = [false, true].flatMap((met) => (["reset", "end"] as const).map((how) => ({ how, met })));
  return ways.map(({ how, met }) =>
    played([37, "9110 9.2.2", `${fact} (${how} by a ${met ? "known" : "new"} member)`], async (bench) => {
      assert.deepEqual(await breaking(bench, { how, met }, bytes), expected);
    }),
  );
}

const attempts: readonly Row[] = [
  ...repeated("a POST is executed once at most", post("POST", "hello"), { status: 502, bodies: [5] }),
  ...repeated("a PATCH is executed once at most", post("PATCH", "hello"), { status: 502, bodies: [5] }),
  ...repeated("a GET is repeated", get("/"), { status: 200, bodies: [0, 0] }),
  ...repeated("a PUT is repeated with its whole body", post("PUT", "hello"), { status: 200, bodies: [5, 5] }),
  ...repeated("a PUT whose body is too large to keep is not repeated", post("PUT", LARGE_BODY), {
    status: 502,
    bodies: [LARGE_BODY.length],
  }),
  played(
    [37, "9110 9.2.2", "a POST that could not be sent goes to another member"],
    async ({ at, connect, script }) => {
      const recording = script(answering(OK));
      await at.register([{ port: 1 }, { port: at.origin.port }, { port: 1 }]);
      try {
        const client = await connect();
        for (let round = 0; round < 4; round += 1) {
          client.send(post("POST", "hello"));
          check(await client.final(), ok);
        }
      } finally {
        await at.restore();
      }
      assert.deepEqual(
        recording.whole.map(({ body }) => body),
        ["hello", "hello", "hello", "hello"],
      );
    },
  ),
];

/** The client leaves as soon as `ready` says; the origin's connection has to end. */
function leaving(fact: string, bytes: string, behave: (ready: () => void) => Script, seen = ""): Row {
  return played([40, "9110 15", fact], async ({ connect, script }) => {
    const ready = gate();
    let closed: Promise<void> = new Promise(() => {});
    const act = behave(ready.open);
    script((peer) => {
      ({ closed } = peer);
      return act(peer);
    });
    const client = await connect();
    client.send(bytes);
    await within(PATIENCE_MS, "the moment to leave", ready.opened);
    if (seen !== "") await client.has(seen);
    client.close();
    await within(ABORT_MS_MAX, "end at the origin", closed);
  });
}

const aborts: readonly Row[] = [
  leaving("a client that leaves before the answer is let go at the origin", get("/"), (ready) => () => ready()),
  leaving(
    "a client that leaves in the middle of the answer is let go at the origin",
    get("/"),
    (ready) => (peer) => {
      peer.send(`${head("HTTP/1.1 200 OK", "Content-Length: 1000000")}hello`);
      ready();
    },
    "hello",
  ),
  leaving(
    "a client that leaves in the middle of events is let go at the origin",
    get("/"),
    (ready) => (peer) => {
      peer.send(
        `${head("HTTP/1.1 200 OK", "Content-Type: text/event-stream", "Transfer-Encoding: chunked")}9\r\ndata: 1\n\n\r\n`,
      );
      ready();
    },
    "data: 1\n\n",
  ),
  leaving(
    "a client that leaves in the middle of its body is let go at the origin",
    // A short one does not reach the origin before it is whole (body.ts).
    `${request("POST /", "Content-Length: 1000000")}${LARGE_BODY}`,
    (ready) => () => ready(),
  ),
  leaving(
    "a client that leaves in the middle of its chunks is let go at the origin",
    `${request("POST /", "Transfer-Encoding: chunked")}5\r\nhello\r\n`,
    (ready) => () => ready(),
  ),
  leaving(
    "a client that leaves before it may send its body is let go at the origin",
    request("POST /", "Expect: 100-continue", "Content-Length: 5"),
    (ready) => () => ready(),
  ),
  leaving(
    "a client that leaves before the answer to its POST is let go at the origin",
    post("POST", "hello"),
    (ready) => (peer) => void peer.whole.then(ready),
  ),
];

const pipelinedAbort: Row = played(
  [40, "9110 15", "a client that leaves with two requests open is let go by both"],
  async ({ connect, script }) => {
    const both = gate();
    const closed: Promise<void>[] = [];
    script((peer) => {
      if (closed.push(peer.closed) === 2) both.open();
    });
    const client = await connect();
    client.send(get("/one") + get("/two"));
    await within(PATIENCE_MS, "two requests at the origin", both.opened);
    client.close();
    await within(ABORT_MS_MAX, "end of both at the origin", Promise.all(closed));
  },
);

export const executions: readonly Row[] = [...attempts, ...aborts, pipelinedAbort];
