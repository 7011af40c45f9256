// /api/v1 as served: every answer is held against the OpenAPI document that the same port serves.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import supertest from "supertest";
import type { ApiOptions } from "../../watchdog/api/api.ts";
import type { RollRow, ScaleRow } from "../../watchdog/api/schema.ts";
import { Contract } from "../tools/http/contract.ts";
import { apiApp, DETECTED_MS, incident, incidentsView, recordedControls } from "../tools/watchdog/api.ts";
import { exited, running, serving, slotState } from "../tools/watchdog/slot-states.ts";
import { member, state } from "../tools/watchdog/state.ts";

let contract: Contract;
/** What was answered within the contract, as `get /api/v1/state 200`. */
const seen = new Set<string>();

before(async () => {
  contract = new Contract((await supertest(apiApp()).get("/api/openapi.json").expect(200)).body);
});

type Method = "get" | "post";
type App = ReturnType<typeof apiApp>;

/** Asks, holds the answer against the document, and returns it. */
async function ask(app: App, method: Method, path: string, { body, headers = {} }: Sent = {}) {
  const asked = supertest(app)[method](`/api/v1${path}`).set(headers);
  if (method === "post") asked.type("application/json");
  const reply = await (body === undefined ? asked : asked.send(body));
  const [bare] = `/api/v1${path}`.split("?", 1) as [string];
  const contentType = reply.headers["content-type"] ?? "";
  const template = contract.check({ method, path: bare, status: reply.status, contentType, body: reply.body });
  seen.add(`${method} ${template} ${reply.status}`);
  return reply;
}

interface Sent {
  readonly body?: object | string;
  readonly headers?: Readonly<Record<string, string>>;
}

const rolling: RollRow = {
  ...{ order: "start-first", orderReason: null, parallel: 1 },
  ...{ service: "app", to: "sample", phase: "rolling", sample: "app-4", reason: null, paused: false, rolled: 1, of: 3 },
  slots: [{ slot: "app-1", rolled: true, busy: false }],
};
const scaling: ScaleRow = {
  ...{ service: "app", phase: "scaling", from: 3, to: 4, reason: null, paused: false, tookMs: null },
  slots: [{ slot: "app-4", done: false }],
};

const full = (changes: Partial<ApiOptions> = {}) =>
  apiApp({
    state: () =>
      state(
        [member("proxy-1", { group: "1" }), member("server-4", { state: "down" })],
        [
          serving("proxy-1", { found: running("proxy-1", { pid: 4711 }) }),
          slotState("server-4", {
            found: exited("server-4"),
            restart: { kind: "quarantined", sinceMs: 0, notBeforeMs: 60_000 },
          }),
        ],
      ),
    incidents: incidentsView(incident(1), incident(2, { outcome: "failed", failure: "no such image" })),
    rolls: { order: async () => ({ ok: true }), rows: () => [rolling] },
    scales: { order: () => ({ ok: true }), rows: () => [scaling] },
    ...changes,
  });

for (const path of [
  "/state",
  "/incidents",
  "/incidents?slot=server-4&limit=1",
  "/incidents/1",
  "/incidents/2",
  "/rolls",
  "/scales",
  "/orders",
]) {
  test(`GET ${path} is answered as the document says`, async () => {
    assert.equal((await ask(full(), "get", path)).status, 200);
  });
}

test("a list of incidents is narrowed as it is asked, and a faulty query is a problem that says how", async () => {
  const list = await ask(full(), "get", "/incidents?slot=server-4&limit=1");
  assert.deepEqual(
    list.body.incidents.map(({ number }: { number: number }) => number),
    [2],
  );
  const refused = await ask(full(), "get", "/incidents?limit=0");
  assert.deepEqual(refused.body, {
    type: "urn:evenkeel:problem:invalid-value",
    title: "A value in the query, the body or a header is not one of those that are legal",
    status: 400,
    detail: "limit is a whole number from 1",
    instance: "/api/v1/incidents",
  });
});

for (const path of ["/incidents/9", "/incidents/x", "/orders/none", "/orders/none/events"]) {
  test(`GET ${path} is a problem: there is none`, async () => {
    const { body } = await ask(full(), "get", path);
    assert.deepEqual(
      [body.status, body.type, body.instance],
      [404, "urn:evenkeel:problem:not-found", `/api/v1${path}`],
    );
  });
}

const quick: readonly (readonly [path: string, body: object | undefined, answer: object, given: string])[] = [
  ["/slots/server-4/hold", undefined, { slot: "server-4", order: "hold" }, "hold server-4"],
  ["/slots/server-4/release", undefined, { slot: "server-4", order: "release" }, "release server-4"],
  ["/slots/server-4/weight", { weight: 0 }, { slot: "server-4", weight: 0 }, "weigh 0 server-4"],
  ["/slots/server-4/weight", { weight: null }, { slot: "server-4", weight: null }, "weigh undefined server-4"],
  ["/services/app/pause", undefined, { service: "app", order: "pause" }, "pause app"],
  ["/services/my%20app/resume", undefined, { service: "my app", order: "resume" }, "resume my app"],
];

for (const [path, body, answer, given] of quick) {
  test(`POST ${path} with ${JSON.stringify(body)} is done at once`, async () => {
    const { controls, orders } = recordedControls();
    const reply = await ask(full({ controls }), "post", path, body && { body });
    assert.deepEqual([reply.status, reply.body, orders], [200, answer, [given]]);
  });
}

const long: readonly (readonly [path: string, body: object | undefined, kind: string, status: string])[] = [
  ["/slots/server-4/heal", undefined, "heal", "accepted"],
  ["/services/app/roll", undefined, "roll", "under-way"],
  ["/services/app/rollback", undefined, "rollback", "under-way"],
  ["/services/app/scale", { replicas: 4 }, "scale", "under-way"],
];

for (const [path, body, kind, status] of long) {
  test(`POST ${path} is 202 with an address, where it is followed`, async () => {
    const app = full();
    const reply = await ask(app, "post", path, body && { body });
    const subject = path.split("/")[2];
    assert.deepEqual([reply.status, reply.body.kind, reply.body.subject], [202, kind, subject]);
    assert.deepEqual([reply.body.status, reply.body.endedAt], ["accepted", null]);
    const { location } = reply.headers as { location: string };
    assert.equal(location, `/api/v1/orders/${reply.body.id}`);
    const followed = await ask(app, "get", location.replace("/api/v1", ""));
    assert.equal(followed.body.status, status);
    assert.deepEqual((await ask(app, "get", "/orders")).body.orders, [followed.body]);
  });
}

for (const [path, body] of [...quick, ...long]) {
  test(`POST ${path} that cannot be done is a problem with the reason`, async () => {
    for (const [status, name] of [
      [404, "not-found"],
      [409, "conflict"],
    ] as const) {
      const no = { ok: false, status, reason: "because" } as const;
      const { controls } = recordedControls(no);
      const app = full({
        controls,
        rolls: { order: async () => no, rows: () => [] },
        scales: { order: () => no, rows: () => [] },
      });
      const reply = await ask(app, "post", path, body && { body });
      assert.deepEqual(
        [reply.status, reply.body.type, reply.body.detail],
        [status, `urn:evenkeel:problem:${name}`, "because"],
      );
      assert.deepEqual((await ask(app, "get", "/orders")).body, { orders: [] });
    }
  });
}

test("a heal that has ended is over for good, with its incident and every event in order", async () => {
  const kept = incidentsView(incident(1));
  const incidents = { all: kept.all, get: kept.get };
  const app = full({ incidents });
  const { body: order } = await ask(app, "post", "/slots/server-4/heal");
  const times = { detectedMs: DETECTED_MS, decidedMs: DETECTED_MS };
  const read = () => ask(app, "get", `/orders/${order.id}`);
  incidents.all = incidentsView(incident(1), incident(2, { outcome: "under-way", times })).all;
  assert.equal((await read()).body.status, "under-way");
  incidents.all = incidentsView(incident(1), incident(2)).all;
  const { body: healed } = await read();
  assert.deepEqual([healed.status, healed.incident], ["done", 2]);
  assert.deepEqual(
    healed.events.map(({ number, status, text }: { number: number; status: string; text: string }) => [
      number,
      status,
      text,
    ]),
    [
      [1, "accepted", "it was taken"],
      [2, "under-way", "server-4 is being replaced"],
      [3, "done", "server-4 was replaced and is in traffic"],
    ],
  );
  incidents.all = incidentsView(incident(3, { outcome: "failed" })).all;
  assert.deepEqual((await read()).body, healed);
});

test("a field that the document does not have, another status and another type are seen", () => {
  const answer = {
    method: "get",
    path: "/api/v1/orders",
    status: 200,
    contentType: "application/json",
    body: { orders: [] },
  };
  assert.equal(contract.check(answer), "/api/v1/orders");
  for (const change of [
    { body: { orders: [], more: 1 } },
    { body: {} },
    { status: 201 },
    { contentType: "text/html" },
    { path: "/api/v1/x" },
  ])
    assert.throws(() => contract.check({ ...answer, ...change }), assert.AssertionError);
});

test("every operation of the document has been answered here, but for the stream", () => {
  const answered = new Set([...seen].filter((each) => / 20[02]$/.test(each)).map((each) => each.replace(/ \d+$/, "")));
  assert.deepEqual(
    contract.operations.filter((each) => !answered.has(each)),
    ["get /api/v1/orders/{order}/events"],
  );
});

test("HEAD is answered like GET, and what is no path is a problem", async () => {
  await supertest(full()).head("/api/v1/state").expect(200);
  const { body, headers } = await supertest(full()).get("/api/v1/nothing").expect(404);
  contract.checkProblem(body, headers["content-type"] ?? "");
  assert.equal(body.type, "urn:evenkeel:problem:no-such-path");
});

test("the older paths answer as they did", async () => {
  await supertest(full()).get("/api/state").expect(200);
  await supertest(full())
    .post("/api/slots/server-4/heal")
    .type("application/json")
    .expect(200, { slot: "server-4", order: "heal" });
  await supertest(full())
    .get("/api/incidents/9")
    .expect(404, /^\{"error":/);
});
