// What the real API serves is what its schemas say, no more and no less: a field that is missing, of another kind or unknown to
// the schema fails here. What comes back from a parse has lost every unknown field, so it must equal what was served.

import assert from "node:assert/strict";
import { test } from "node:test";
import supertest from "supertest";
import type * as z from "zod";
import { ApiClient } from "../../watchdog/api/client.ts";
import {
  apiErrorSchema,
  incidentDocumentSchema,
  incidentListSchema,
  orderTakenSchema,
  scaleListSchema,
  scaleTakenSchema,
  scrapeTargetsSchema,
  serviceOrderTakenSchema,
  stateSchema,
  weightTakenSchema,
} from "../../watchdog/api/schema.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import { origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";
import { apiApp, DETECTED_MS, incident, incidentsView, recordedControls, startApi } from "../tools/watchdog/api.ts";
import { exited, found, running, serving, slotOf, slotState, stopped } from "../tools/watchdog/slot-states.ts";
import { member, state } from "../tools/watchdog/state.ts";

const times = { detectedMs: DETECTED_MS, decidedMs: DETECTED_MS };
const { exit: _, replaced: __, ...filled } = incident(3);
const incidents = incidentsView(
  incident(1),
  incident(2, { outcome: "failed", failure: "no such image", times: { ...times, failedMs: DETECTED_MS + 9 } }),
  { ...filled, outcome: "under-way", times, log: [], changes: [] },
  incident(4, { exit: { oom: true }, role: "proxy" }),
);

/** One slot for each way in which rows differ. */
const slots = [
  serving("balancer", { held: { sinceMs: 1 } }),
  serving("proxy-1", { found: running("proxy-1", { pid: 4711 }), missed: 2 }),
  slotState("server-1"),
  slotState("server-2", {
    found: exited("server-2"),
    restart: { kind: "quarantined", sinceMs: 0, notBeforeMs: 60_000 },
  }),
  slotState("server-3", { found: found("server-3", { kind: "paused" }) }),
  slotState("server-4", { found: found("server-4", { kind: "created" }) }),
  slotState("server-5", { found: found("server-5", { kind: "previous", running: true }) }),
  slotState("server-6", { found: exited("server-6"), healing: true }),
  slotState("server-7", { found: exited("server-7"), intent: stopped }),
  serving("client", { held: { sinceMs: 1, paused: true } }),
];
const members = [
  member("balancer", { host: "fd00::7" }),
  member("proxy-1", { group: "1", state: "draining", generation: 12 }),
  member("server-1", { group: "1", state: "starting" }),
  member("server-2", { group: "1", state: "down" }),
];
const step: Step = { kind: "wait", slot: slotOf("server-2"), reason: "backing off", untilMs: 7, alert: false };

const scaleRow = { service: "app", phase: "undoing", from: 3, to: 4, reason: "app-4 is gone", paused: false } as const;
const rows = () => [{ ...scaleRow, tookMs: null, slots: [{ slot: "app-4", done: false }] }];
const scales = { order: () => ({ ok: true }) as const, rows };
const app = () => apiApp({ state: () => state(members, slots, [step]), incidents, scales });

function assertServed(schema: z.ZodType, body: unknown): void {
  assert.deepEqual(schema.parse(body), body);
}

const documents: readonly (readonly [path: string, schema: z.ZodType])[] = [
  ["/api/state", stateSchema],
  ["/api/incidents", incidentListSchema],
  ["/api/incidents/1", incidentDocumentSchema],
  ["/api/incidents/2", incidentDocumentSchema],
  ["/api/incidents/3", incidentDocumentSchema],
  ["/api/incidents/4", incidentDocumentSchema],
  ["/api/scales", scaleListSchema],
  ["/sd/targets", scrapeTargetsSchema],
];

for (const [path, schema] of documents) {
  test(`${path} is served as its schema says`, async () => {
    assertServed(schema, (await supertest(app()).get(path).expect(200)).body);
  });
}

test("every kind of life, state and restarts is among the rows that were served", async () => {
  const rows = stateSchema.parse((await supertest(app()).get("/api/state")).body).slots;
  assert.deepEqual(
    rows.map(({ life }) => life),
    [
      ...["running", "running", "absent", "exited", "paused", "created", "previous"],
      ...["healing", "stopped on purpose", "running"],
    ],
  );
  assert.deepEqual([...new Set(rows.map(({ state }) => state))].length, 5);
  assert.deepEqual(new Set(rows.map(({ restarts }) => restarts.kind)), new Set(["normal", "quarantined"]));
});

for (const order of ["hold", "release", "heal"]) {
  test(`the answer to an order to ${order} is served as its schema says`, async () => {
    const posted = supertest(app()).post(`/api/slots/server-3/${order}`).type("application/json");
    assertServed(orderTakenSchema, (await posted.expect(200)).body);
  });
}

for (const order of ["pause", "resume"]) {
  test(`the answer to an order to ${order} is served as its schema says`, async () => {
    const posted = supertest(app()).post(`/api/services/app/${order}`).type("application/json");
    assertServed(serviceOrderTakenSchema, (await posted.expect(200)).body);
  });
}

test("the answer to a scale is served as its schema says", async () => {
  assertServed(
    scaleTakenSchema,
    (await supertest(app()).post("/api/scales/app").send({ replicas: 4 }).expect(202)).body,
  );
});

test("the answer to a weight is served as its schema says", async () => {
  const posted = supertest(app()).post("/api/slots/server-3/weight").send({ weight: 3 });
  assertServed(weightTakenSchema, (await posted.expect(200)).body);
});

const errors: readonly (readonly [method: "get" | "post", path: string, status: number])[] = [
  ["get", "/api/incidents?limit=0", 400],
  ["post", "/api/slots/server-3/hold", 403],
  ["get", "/api/incidents/7", 404],
  ["get", "/api/nothing", 404],
  ["post", "/api/state", 405],
];

for (const [method, path, status] of errors) {
  test(`the ${status} to ${method.toUpperCase()} ${path} is served as its schema says`, async () => {
    assertServed(apiErrorSchema, (await supertest(app())[method](path).expect(status)).body);
  });
}

test("a field that the schema does not know is seen", async () => {
  const { body } = await supertest(app()).get("/api/state");
  assert.throws(() => assertServed(stateSchema, { ...body, more: 1 }), assert.AssertionError);
  body.slots[0].restarts.more = 1;
  assert.throws(() => assertServed(stateSchema, body), assert.AssertionError);
});

const clientAt = (port: number, timeoutMs = 10_000) =>
  new ApiClient({ watchdog: new URL(`http://${HOST}:${port}`), timeoutMs, token: undefined });

test("the client reads each document as it was served, and gives orders", async (t) => {
  const { controls, orders } = recordedControls();
  const client = clientAt(await startApi(t, { state: () => state(members, slots, [step]), incidents, controls }));
  const read = await client.state();
  assert.ok(read.kind === "read");
  assert.deepEqual(read.document, read.body);
  const list = await client.incidents({ limit: 2, slot: "server-4" });
  assert.deepEqual(list.kind === "read" && list.document.incidents.map(({ number }) => number), [4, 3]);
  const one = await client.incident(1);
  assert.deepEqual(one.kind === "read" && one.document, incident(1));
  const taken = await client.order("hold", "server-3");
  assert.deepEqual(taken.kind === "read" && taken.document, { slot: "server-3", order: "hold" });
  const paused = await client.orderOfService("pause", "my app");
  assert.deepEqual(paused.kind === "read" && paused.document, { service: "my app", order: "pause" });
  const weighed = await client.weigh("app 3", null);
  assert.deepEqual(weighed.kind === "read" && weighed.document, { slot: "app 3", weight: null });
  assert.deepEqual(orders, ["hold server-3", "pause my app", "weigh undefined app 3"]);
});

test("what a newer watchdog adds is no part of the document, and stays in the body", async (t) => {
  const served = (await supertest(app()).get("/api/state")).body;
  const { port } = await origin(t, (_request, response) => void response.end(JSON.stringify({ ...served, more: 1 })));
  const read = await clientAt(port).state();
  assert.ok(read.kind === "read");
  assert.deepEqual([read.document, read.body], [served, { ...served, more: 1 }]);
});

test("the client tells a refusal, another program, a silent one and nobody from each other", async (t) => {
  const refusing = await startApi(t, { incidents });
  const foreign = await origin(t, (_request, response) => void response.end("<html>stats</html>"));
  const silent = await origin(t, () => {});
  const { kind, ...refusal } = await clientAt(refusing).incident(7);
  assert.equal(kind, "refused");
  assert.equal("status" in refusal && refusal.status, 404);
  assert.deepEqual(await clientAt(foreign.port).state(), { kind: "foreign", status: 200 });
  assert.equal((await clientAt(silent.port, 100).state()).kind, "unreachable");
  assert.deepEqual(await clientAt(await freePort()).state(), { kind: "unreachable", reason: "ECONNREFUSED" });
});
