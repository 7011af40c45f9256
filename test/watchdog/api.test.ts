// The watchdog's own port through supertest: the state as JSON, service discovery and the admin paths.

import assert from "node:assert/strict";
import { test } from "node:test";
import supertest from "supertest";
import { watchdogMetrics } from "../../watchdog/metrics.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import { apiApp } from "../tools/watchdog/api.ts";
import { serving, slotOf, slotState } from "../tools/watchdog/slot-states.ts";
import { member, state, WRITTEN_AT } from "../tools/watchdog/state.ts";

const hostile = `<script>alert("1")</script>&'x'`;
const slotStates = [serving("balancer"), slotState("server-1"), serving("client")];
const steps: Step[] = [
  { kind: "wait", slot: slotOf("server-1"), reason: `it said ${hostile}`, untilMs: 0, alert: false },
];
const shown = state([member("balancer", { generation: 3 })], slotStates, steps);

const ask = (now = shown, ready = () => true) => {
  const metrics = watchdogMetrics();
  metrics.round({ slotStates: now.slotStates, version: now.registry.version, rolls: [] });
  metrics.healEnded("server-1", "healed", {});
  return supertest(apiApp({ ready, state: () => now, metrics: metrics.registry }));
};

test("/api/state is the registry's version and one row a slot", async () => {
  const { body } = await ask()
    .get("/api/state")
    .expect(200)
    .expect("Content-Type", /^application\/json/);
  assert.deepEqual(body.registry, { version: 42, writtenAt: WRITTEN_AT });
  assert.deepEqual(
    body.slots.map(({ slot, state: traffic, life }: Record<string, string>) => [slot, traffic, life]),
    [
      ["balancer", "serving", "running"],
      ["server-1", "out of the registry", "absent"],
      ["client", "out of the registry", "running"],
    ],
  );
  assert.equal(body.slots[1].step, `wait: it said ${hostile}`);
});

test("/sd/targets is a list of targets as JSON", async () => {
  const { body } = await ask()
    .get("/sd/targets")
    .set("Host", "localhost:8404")
    .expect(200)
    .expect("Content-Type", /^application\/json/);
  assert.deepEqual(body, [
    { targets: ["localhost:8404"], labels: { member: "watchdog", role: "watchdog", instance: "watchdog" } },
    { targets: ["10.0.0.1:9101"], labels: { member: "balancer", role: "balancer", instance: "balancer" } },
  ]);
});

test("/healthz passes whether or not the watchdog is ready", async () => {
  await ask(shown, () => false)
    .get("/healthz")
    .expect(200);
});

test("/readyz refuses until the watchdog is ready, then passes", async () => {
  let ready = false;
  const agent = ask(shown, () => ready);
  await agent.get("/readyz").expect(503);
  ready = true;
  await agent.get("/readyz").expect(200);
});

test("/readyz and the state say that rounds fail, and why", async () => {
  const failing = "ENOSPC: no space left on device";
  const app = supertest(apiApp({ state: () => ({ ...shown, failing }) }));
  await app.get("/readyz").expect(503, `not ready: its rounds fail: ${failing}\n`);
  assert.equal((await app.get("/api/state")).body.failing, failing);
});

test("/metrics is what Prometheus reads, with members, heals and the registry's version", async () => {
  const { text } = await ask()
    .get("/metrics")
    .expect(200)
    .expect("Content-Type", /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^evenkeel_member_serving\{slot="balancer"\} 1$/m);
  assert.match(text, /^evenkeel_member_serving\{slot="server-1"\} 0$/m);
  assert.match(text, /^evenkeel_heals_total\{slot="server-1",outcome="healed"\} 1$/m);
  assert.match(text, /^evenkeel_registry_version 42$/m);
});

test("it answers each request with the state of that moment", async () => {
  let now = state([], []);
  const app = supertest(apiApp({ state: () => now }));
  assert.equal((await app.get("/sd/targets")).body.length, 1);
  now = shown;
  assert.equal((await app.get("/sd/targets")).body.length, 2);
});

test("nothing but an order changes anything", async () => {
  for (const method of ["post", "put", "delete"] as const) {
    for (const path of ["/", "/sd/targets"]) await ask()[method](path).expect(404);
    await ask()[method]("/api/state").expect(405).expect("Allow", "GET, HEAD");
  }
});
