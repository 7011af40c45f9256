// What a server answers: the workload, which says who answered what, and the admin port beside it, which user
// traffic never meets.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { Counter, Registry } from "prom-client";
import supertest from "supertest";
import { adminListener } from "../../services/runtime/admin.ts";
import { serverApp } from "../../services/server.ts";

function workload() {
  const metrics = new Registry();
  return { metrics, http: supertest(serverApp({ id: "server-4", group: "2", metrics })) };
}

function admin(ready: () => boolean = () => true) {
  const metrics = new Registry();
  new Counter({ name: "evenkeel_test_total", help: "For this test.", registers: [metrics] }).inc(3);
  return supertest(adminListener({ ready, metrics }));
}

const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

test("an answer says who gave it, to whom, for what, and which one it is", async () => {
  const { http } = workload();
  const before = Date.now();
  const { body } = await http
    .get("/some/path?client=7")
    .expect(200)
    .expect("Content-Type", /^application\/json/);
  const { time, ...facts } = body;
  assert.deepEqual(facts, { server: "server-4", group: "2", client: "7", path: "/some/path", served: 1 });
  assert.ok(Date.parse(time) >= before && Date.parse(time) <= Date.now());
  const again = await http.get("/").expect(200);
  assert.equal(again.body.served, 2);
  assert.equal(again.body.path, "/");
});

test("the client is named by ?client, then by X-Client-Id, and may be nobody", async () => {
  const { http } = workload();
  const both = await http.get("/?client=7").set("X-Client-Id", "8");
  const header = await http.get("/").set("X-Client-Id", "8");
  const none = await http.get("/");
  assert.deepEqual([both.body.client, header.body.client, none.body.client], ["7", "8", null]);
});

for (const method of ["get", "post", "put", "patch", "delete", "options"] as const) {
  test(`${method.toUpperCase()} is answered on any path`, async () => {
    const { body } = await workload().http[method]("/anything/at/all").expect(200);
    assert.equal(body.server, "server-4");
  });
}

test("HEAD is answered with a head alone", async () => {
  const { text, headers } = await workload().http.head("/").expect(200);
  assert.equal(text, undefined);
  assert.ok(Number(headers["content-length"]) > 0);
});

const bodies: readonly [string, string | Buffer, string][] = [
  ["one byte", Buffer.from("x"), "application/octet-stream"],
  ["broken JSON, which nobody parses", '{"a": 1', "application/json"],
  ["a megabyte of anything", randomBytes(1024 * 1024), "application/octet-stream"],
];

for (const [what, sent, type] of bodies) {
  test(`a body of ${what} is answered with its size and SHA-256`, async () => {
    const { body } = await workload().http.post("/").set("Content-Type", type).send(sent).expect(200);
    assert.deepEqual(body.body, { bytes: sent.length, sha256: sha256(sent) });
  });
}

test("a request without a body is answered without one's size", async () => {
  const { body } = await workload().http.post("/").expect(200);
  assert.equal("body" in body, false);
});

test("/work answers when the work is done, and no sooner", async () => {
  const { http } = workload();
  const started = performance.now();
  const { body } = await http.get("/work?ms=80&client=7").expect(200);
  assert.ok(performance.now() - started >= 79, "it waited");
  assert.deepEqual([body.server, body.client, body.path], ["server-4", "7", "/work"]);
  await http.get("/work").expect(200);
  await http.post("/work?ms=0").send("x").expect(200);
});

for (const ms of ["-1", "60001", "1.5", "soon", "Infinity", "NaN", "1&ms=2"]) {
  test(`/work?ms=${ms} is refused and says what is legal`, async () => {
    const { http, metrics } = workload();
    const { body } = await http.get(`/work?ms=${ms}`).expect(400);
    assert.deepEqual(body, { error: "ms must be a whole number from 0 to 60000" });
    assert.match(await metrics.metrics(), /^evenkeel_server_requests_total 0$/m);
  });
}

test("the server does not say what it is made of, and sends nothing that a cache would compare", async () => {
  const { headers } = await workload().http.get("/").expect(200);
  assert.deepEqual([headers["x-powered-by"], headers.etag], [undefined, undefined]);
});

test("/metrics on the traffic port is a request like any other", async () => {
  const { body } = await workload().http.get("/metrics").expect(200);
  assert.deepEqual([body.server, body.path], ["server-4", "/metrics"]);
});

test("every answer is counted in the server's metrics", async () => {
  const { http, metrics } = workload();
  await http.get("/");
  await http.get("/work?ms=0");
  assert.match(await metrics.metrics(), /^evenkeel_server_requests_total 2$/m);
});

test("/healthz says that the process lives, ready or not", async () => {
  await admin(() => false)
    .get("/healthz")
    .expect(200, "alive\n");
});

test("/readyz says whether the member would take traffic now", async () => {
  let ready = false;
  const http = admin(() => ready);
  await http.get("/readyz").expect(503, "not ready\n");
  ready = true;
  await http.get("/readyz").expect(200, "ready\n");
});

test("/metrics has the content type that Prometheus 3 demands", async () => {
  const { text, headers } = await admin().get("/metrics").expect(200);
  assert.equal(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  assert.match(text, /^# TYPE evenkeel_test_total counter\nevenkeel_test_total 3$/m);
});

test("any other path of the admin port is a 404 that says which ones there are", async () => {
  for (const path of ["/", "/healthz/x", "/status"]) {
    await admin().get(path).expect(404, "this port answers GET of /healthz, /readyz and /metrics\n");
  }
  await admin().post("/healthz").expect(404);
});
