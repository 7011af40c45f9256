// The watchdog's own port through supertest: the status page, the state as JSON, service discovery and the admin paths.

import assert from "node:assert/strict";
import { test } from "node:test";
import supertest from "supertest";
import { api } from "../watchdog/api.ts";
import { watchdogMetrics } from "../watchdog/metrics.ts";
import type { Step } from "../watchdog/plan.ts";
import type { Situation } from "../watchdog/situation.ts";
import { serving, situation, slotOf } from "./support/situations.ts";
import { member, state, WRITTEN_AT } from "./support/state.ts";

const hostile = `<script>alert("1")</script>&'x'`;
const situations = [serving("balancer"), situation("server-1"), serving("client")];
const steps: Step[] = [{ kind: "wait", slot: slotOf("server-1"), reason: `it said ${hostile}`, untilMs: 0 }];
const shown = state([member("balancer", { generation: 3 })], situations, steps);

const ask = (now = shown, ready = () => true) => {
  const metrics = watchdogMetrics();
  metrics.round(now.situations, now.registry.version);
  metrics.healed("server-1", "started");
  return supertest(api({ ready, state: () => now, metrics: metrics.registry }));
};

test("the status page has a row for each slot and counts those that serve", async () => {
  const { text } = await ask().get("/").expect(200).expect("Content-Type", "text/html; charset=utf-8");
  const slots = Array.from(text.matchAll(/<th scope="row">([^<]*)</g), ([, slot]) => slot);
  assert.deepEqual(slots, ["balancer", "server-1", "client"]);
  assert.match(text, /1 of 2 members serve\. Registry version 42\./);
  assert.match(
    text,
    /<td class="serving">serving<\/td><td class="address">10\.0\.0\.1:9001<\/td><td>running<\/td><td>3</,
  );
});

test("the status page loads nothing and runs no script", async () => {
  const { headers } = await ask().get("/");
  assert.match(headers["content-security-policy"] ?? "", /^default-src 'none'/);
  assert.equal(headers["x-powered-by"], undefined);
});

test("names and reasons are text on the status page, never markup", async () => {
  const slot = { ...slotOf("server-1"), id: hostile, group: hostile };
  const bad = state(
    [member(hostile, { host: hostile })],
    [{ ...serving("server-1"), slot } as Situation],
    [{ kind: "wait", slot, reason: hostile, untilMs: 0 }],
  );
  const { text } = await ask(bad).get("/").expect(200);
  assert.ok(!text.includes("<script"), text);
  assert.ok(!text.includes(hostile));
  const escaped = "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;x&#39;";
  // The slot, its group, its address and the reason.
  assert.equal(text.split(escaped).length - 1, 4);
});

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
    .expect(200)
    .expect("Content-Type", /^application\/json/);
  assert.deepEqual(body, [{ targets: ["10.0.0.1:9101"], labels: { member: "balancer", role: "balancer" } }]);
});

test("/sd/targets is an empty list while there is no member", async () => {
  const { body } = await ask(state([], []))
    .get("/sd/targets")
    .expect(200)
    .expect("Content-Type", /^application\/json/);
  assert.deepEqual(body, []);
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

test("/metrics is what Prometheus reads, with members, heals and the registry's version", async () => {
  const { text } = await ask()
    .get("/metrics")
    .expect(200)
    .expect("Content-Type", /^text\/plain; version=0\.0\.4/);
  assert.match(text, /^evenkeel_member_serving\{member="balancer"\} 1$/m);
  assert.match(text, /^evenkeel_member_serving\{member="server-1"\} 0$/m);
  assert.match(text, /^evenkeel_heals_total\{slot="server-1",outcome="started"\} 1$/m);
  assert.match(text, /^evenkeel_registry_version 42$/m);
});

test("it answers each request with the state of that moment", async () => {
  let now = state([], []);
  const app = supertest(api({ ready: () => true, state: () => now, metrics: watchdogMetrics().registry }));
  assert.equal((await app.get("/sd/targets")).body.length, 0);
  now = shown;
  assert.equal((await app.get("/sd/targets")).body.length, 1);
});

test("nothing can be changed through it", async () => {
  for (const path of ["/", "/api/state", "/sd/targets"]) {
    for (const method of ["post", "put", "delete"] as const) await ask()[method](path).expect(404);
  }
});
