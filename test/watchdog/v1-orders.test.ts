// Orders that take their time, as they are followed: by asking again, by their stream of events; and orders that come twice.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { EventSource } from "eventsource";
import type { RollRow, ScaleRow } from "../../watchdog/api/schema.ts";
import { IdempotencyKeys } from "../../watchdog/api/v1/idempotency.ts";
import { OrderBook, type OrderProgress } from "../../watchdog/api/v1/order-book.ts";
import { healProgress, rollProgress, scaleProgress } from "../../watchdog/api/v1/progress.ts";
import { within } from "../tools/eventually.ts";
import { HOST } from "../tools/ports.ts";
import { incident, incidentsView, recordedControls, startApi } from "../tools/watchdog/api.ts";

const AT = Date.parse("2026-11-24T18:30:05.123Z");

function book() {
  const now: { progress: OrderProgress } = { progress: { status: "accepted", text: "it was taken" } };
  const orders = new OrderBook({ nowMs: () => AT, run: "run" });
  const add = () => orders.add({ kind: "heal", subject: "server-4", look: () => now.progress });
  return { orders, add, now };
}

test("an order's events are the changes of its status and its text, and none after its end", () => {
  const { orders, add, now } = book();
  const { id } = add();
  for (const text of ["1 of 3", "1 of 3", "2 of 3"]) {
    now.progress = { status: "under-way", text };
    orders.look();
  }
  now.progress = { status: "done", text: "3 of 3" };
  orders.look();
  now.progress = { status: "failed", text: "a later one" };
  const order = orders.get(id);
  assert.deepEqual(
    order?.events.map(({ number, status, text }) => [number, status, text]),
    [
      [1, "accepted", "it was taken"],
      [2, "under-way", "1 of 3"],
      [3, "under-way", "2 of 3"],
      [4, "done", "3 of 3"],
    ],
  );
  assert.deepEqual([order?.status, order?.endedAt], ["done", new Date(AT).toISOString()]);
});

test("the latest hundred orders are kept, the newest first", () => {
  const { orders, add } = book();
  for (let count = 0; count < 120; count += 1) add();
  assert.deepEqual([orders.all.length, orders.all[0]?.id, orders.all.at(-1)?.id], [100, "run-120", "run-21"]);
  assert.equal(orders.get("run-20"), undefined);
});

test("of one order the latest two hundred events are kept, and their numbers go on", () => {
  const { orders, add, now } = book();
  const { id } = add();
  for (let count = 0; count < 300; count += 1) {
    now.progress = { status: "under-way", text: String(count) };
    orders.look();
  }
  const { events = [] } = orders.get(id) ?? {};
  assert.deepEqual([events.length, events.at(-1)?.number], [200, 301]);
});

const roll: RollRow = {
  ...{ order: "start-first", orderReason: null, parallel: 1 },
  ...{
    service: "app",
    to: "sample",
    phase: "rolling",
    sample: "app-4",
    reason: null,
    paused: false,
    rolled: 1,
    of: 3,
    slots: [],
  },
};
const scale: ScaleRow = {
  ...{ service: "app", phase: "scaling", from: 2, to: 1, reason: null, paused: false, tookMs: null },
  slots: [{ slot: "app-2", done: true }],
};
const since = { since: 1, isThere: true };

const progresses: readonly (readonly [OrderProgress, status: string, text: string])[] = [
  [healProgress("server-4", { ...since, incidents: [] }), "accepted", "it was taken"],
  [healProgress("server-4", { ...since, incidents: incidentsView(incident(1)).all }), "accepted", "it was taken"],
  [healProgress("server-5", { ...since, incidents: incidentsView(incident(2)).all }), "accepted", "it was taken"],
  [healProgress("server-4", { ...since, incidents: [], isThere: false }), "failed", "there is no server-4 any more"],
  [
    healProgress("server-4", {
      ...since,
      incidents: incidentsView(incident(2), incident(3, { outcome: "failed" })).all,
    }),
    "done",
    "server-4 was replaced and is in traffic",
  ],
  [
    healProgress("server-4", {
      ...since,
      incidents: incidentsView(incident(2, { outcome: "failed", failure: "no image" })).all,
    }),
    "failed",
    "no image",
  ],
  [rollProgress(undefined), "failed", "nothing is known of it any more"],
  [rollProgress(roll), "under-way", "1 of 3 are new"],
  [rollProgress({ ...roll, paused: true }), "under-way", "1 of 3 are new; it stands still"],
  [rollProgress({ ...roll, phase: "rolling-back", reason: "app-4 fails" }), "under-way", "1 of 3 are new; app-4 fails"],
  [
    rollProgress({ ...roll, phase: "rolled-back", rolled: 0, reason: "app-4 fails" }),
    "undone",
    "0 of 3 are new; app-4 fails",
  ],
  [rollProgress({ ...roll, phase: "paused", reason: "both ways fail" }), "failed", "1 of 3 are new; both ways fail"],
  [rollProgress({ ...roll, phase: "done", rolled: 3 }), "done", "3 of 3 are new"],
  [scaleProgress(scale), "under-way", "2 to 1: 1 of 1 are gone"],
  [
    scaleProgress({ ...scale, from: 1, to: 2, phase: "undone", reason: "app-2 is gone" }),
    "undone",
    "1 to 2: 1 of 1 serve; app-2 is gone",
  ],
];

for (const [progress, status, text] of progresses) {
  test(`an order that is ${status} says: ${text}`, () => {
    assert.deepEqual([progress.status, progress.text], [status, text]);
  });
}

function posting(port: number) {
  return (path: string, { key, body = "" }: { key?: string; body?: string } = {}) =>
    fetch(`http://${HOST}:${port}/api/v1${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(key && { "Idempotency-Key": key }) },
      body,
    });
}

async function healing(t: TestContext) {
  const kept = incidentsView();
  const incidents = { all: kept.all, get: kept.get };
  const { controls, orders } = recordedControls();
  const port = await startApi(t, { incidents, controls });
  return { incidents, orders, port, post: posting(port) };
}

test("a stream has every event of an order, and is over with it; a reader that comes back has the rest", async (t) => {
  const { incidents, port, post } = await healing(t);
  const location = (await post("/slots/server-4/heal")).headers.get("location") as string;
  const url = `http://${HOST}:${port}${location}/events`;
  const source = new EventSource(url);
  t.after(() => source.close());
  const texts: string[] = [];
  const over = new Promise<void>((resolve) => {
    source.onmessage = ({ data, lastEventId }) => {
      const event = JSON.parse(data) as { number: number; status: string };
      texts.push(`${lastEventId} ${event.number} ${event.status}`);
      if (texts.length === 1) incidents.all = incidentsView(incident(1)).all;
      if (event.status === "done") resolve();
    };
  });
  await within(10_000, "the end of the order", over);
  source.close();
  assert.deepEqual(texts, ["1 1 accepted", "2 2 done"]);
  const rest = await fetch(url, { headers: { "Last-Event-ID": "1" } });
  assert.match(rest.headers.get("content-type") ?? "", /^text\/event-stream/);
  const body = await within(10_000, "the end of the stream", rest.text());
  assert.match(body, /^id: 2\ndata: \{"number":2,.*"status":"done".*\}\n\n$/);
});

test("past sixteen streams a reader is told to ask, and one that has left makes room", async (t) => {
  const { port, post } = await healing(t);
  const location = (await post("/slots/server-4/heal")).headers.get("location") as string;
  const leaves: AbortController[] = [];
  const open = async () => {
    const leave = new AbortController();
    leaves.push(leave);
    t.after(() => leave.abort());
    return fetch(`http://${HOST}:${port}${location}/events`, { signal: leave.signal });
  };
  for (let count = 0; count < 16; count += 1) assert.equal((await open()).status, 200);
  const refused = await open();
  assert.equal(refused.status, 503);
  assert.equal(((await refused.json()) as { type: string }).type, "urn:evenkeel:problem:too-many-streams");
  leaves[0]?.abort();
  const again = async () => {
    for (;;) if ((await open()).status === 200) return;
  };
  await within(10_000, "room for another", again());
});

test("an order that comes again with its key is given once, and answered as the first time", async (t) => {
  const { orders, post } = await healing(t);
  const first = await post("/slots/server-4/heal", { key: "8e03978e" });
  const again = await post("/slots/server-4/heal", { key: "8e03978e" });
  assert.deepEqual([first.status, again.status], [202, 202]);
  assert.equal(again.headers.get("location"), first.headers.get("location"));
  assert.deepEqual(await again.json(), await first.json());
  assert.deepEqual(orders, ["heal server-4"]);
  await post("/slots/server-4/heal", { key: "another" });
  await post("/slots/server-4/heal");
  assert.equal(orders.length, 3);
});

test("a key that was used for another order, or for the same with another body, is refused with 422", async (t) => {
  const { orders, post } = await healing(t);
  await post("/slots/server-4/weight", { key: "k", body: '{"weight":1}' });
  for (const [path, body] of [
    ["/slots/server-4/weight", '{"weight":2}'],
    ["/slots/server-5/hold", ""],
  ] as const) {
    const reply = await post(path, { key: "k", body });
    assert.equal(reply.status, 422);
    assert.equal(((await reply.json()) as { type: string }).type, "urn:evenkeel:problem:idempotency-key-reused");
  }
  assert.deepEqual(orders, ["weigh 1 server-4"]);
});

test("what was refused may be tried again with its key; of two at a time one is given", async () => {
  const clock = { ms: 0 };
  const keys = new IdempotencyKeys(() => clock.ms);
  const fine = { status: 200, body: {} } as const;
  let given = 0;
  const no = await keys.once("k", "order", async () => ({ problem: "conflict", detail: "not now" }));
  assert.ok("problem" in no);
  const give = async () => {
    given += 1;
    return fine;
  };
  assert.deepEqual(await Promise.all([keys.once("k", "order", give), keys.once("k", "order", give)]), [fine, fine]);
  assert.equal(given, 1);
  clock.ms = 24 * 3_600_000;
  await keys.once("k", "order", give);
  assert.equal(given, 2);
});

test("a thousand keys are kept, and the oldest goes first", async () => {
  const keys = new IdempotencyKeys(() => 0);
  const given: string[] = [];
  const send = (key: string) =>
    keys.once(key, "order", async () => {
      given.push(key);
      return { status: 200, body: {} };
    });
  for (let count = 0; count <= 1_000; count += 1) await send(`key-${count}`);
  given.length = 0;
  await send("key-1");
  await send("key-1000");
  await send("key-0");
  assert.deepEqual(given, ["key-0"]);
});
