// The watchdog's own port through supertest: the status page, the state as JSON, service discovery and the admin paths.

import assert from "node:assert/strict";
import { test } from "node:test";
import supertest from "supertest";
import { watchdogMetrics } from "../../watchdog/metrics.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { eventually } from "../tools/eventually.ts";
import { apiApp, incident, incidentsView } from "../tools/watchdog/api.ts";
import { exited, serving, slotOf, slotState } from "../tools/watchdog/slot-states.ts";
import { member, state, WRITTEN_AT } from "../tools/watchdog/state.ts";

const hostile = `<script>alert("1")</script>&'x'`;
const slotStates = [serving("balancer"), slotState("server-1"), serving("client")];
const steps: Step[] = [
  { kind: "wait", slot: slotOf("server-1"), reason: `it said ${hostile}`, untilMs: 0, alert: false },
];
const shown = state([member("balancer", { generation: 3 })], slotStates, steps);

const ask = (now = shown, ready = () => true) => {
  const metrics = watchdogMetrics();
  metrics.round(now.slotStates, now.registry.version);
  metrics.healed("server-1", "started");
  return supertest(apiApp({ ready, state: () => now, metrics: metrics.registry }));
};

test("the status page has a row for each slot and counts those that serve", async () => {
  const { text } = await ask().get("/").expect(200).expect("Content-Type", "text/html; charset=utf-8");
  const slots = Array.from(text.matchAll(/<th scope="row">([^<]*)</g), ([, slot]) => slot);
  assert.deepEqual(slots, ["balancer", "server-1", "client"]);
  assert.match(text, /1 of 2 members serve\. Registry version 42\./);
  assert.match(
    text,
    /<td class="serving">serving<\/td><td class="address wide">10\.0\.0\.1:9001<\/td><td class="life">running<\/td><td class="wide number">3</,
  );
});

test("the status page calls it an outage when nobody serves, and says nothing well of nobody", async () => {
  const down = state([member("balancer", { state: "down" })], [serving("server-1")], []);
  assert.match((await ask(down).get("/")).text, /<p class="bad">0 of 1 members serve\. /);
  const nobody = state([], [], []);
  assert.match((await ask(nobody).get("/")).text, /<p class="other">No members are known yet\. /);
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
    [{ ...serving("server-1"), slot } as SlotState],
    [{ kind: "wait", slot, reason: hostile, untilMs: 0, alert: false }],
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

test("the page and /readyz say that rounds fail, and why, and are well again behind that", async () => {
  let failing: string | undefined = "ENOSPC: no space left on device, write '<b>'";
  const app = supertest(apiApp({ state: () => ({ ...shown, failing }) }));
  await app.get("/readyz").expect(503, `not ready: its rounds fail: ${failing}\n`);
  const { text } = await app.get("/");
  assert.match(text, /<p class="bad">The watchdog's rounds fail, and nothing is healed: ENOSPC: .*&#60;b&#62;/);
  assert.equal((await app.get("/api/state")).body.failing, failing);
  failing = undefined;
  await app.get("/readyz").expect(200, "ready\n");
  await eventually("the page is well", async () => !(await app.get("/")).text.includes("rounds fail"));
});

test("a flood of those who look at the page has it made four times a second", async () => {
  let made = 0;
  const app = supertest(
    apiApp({
      state: () => {
        made += 1;
        return shown;
      },
    }),
  );
  const startedMs = performance.now();
  for (let n = 0; n < 40; n += 1) await app.get("/").expect(200);
  assert.ok(made <= 2 + (performance.now() - startedMs) / 250, `${made} times`);
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
  const app = supertest(apiApp({ state: () => now }));
  assert.equal((await app.get("/sd/targets")).body.length, 0);
  now = shown;
  assert.equal((await app.get("/sd/targets")).body.length, 1);
});

test("nothing but an order changes anything", async () => {
  for (const method of ["post", "put", "delete"] as const) {
    for (const path of ["/", "/sd/targets"]) await ask()[method](path).expect(404);
    await ask()[method]("/api/state").expect(405).expect("Allow", "GET, HEAD");
  }
});

test("the status page says of a slot that it is held, quarantined or missed by probes", async () => {
  const slots = [
    serving("server-1", { held: { sinceMs: 1 } }),
    slotState("server-2", {
      found: exited("server-2"),
      restart: { kind: "quarantined", sinceMs: 0, notBeforeMs: Date.parse("2026-11-24T18:30:05.123Z") },
    }),
    serving("server-3", { missed: 2 }),
  ];
  const wait: Step = {
    kind: "wait",
    slot: slotOf("server-2"),
    reason: "quarantined: it exited with code 1",
    untilMs: 0,
    alert: false,
  };
  const { text } = await ask(state([], slots, [wait])).get("/");
  assert.match(text, /<td class="life odd">running, held<\/td>.*<td class="next">none until it is released</);
  assert.match(text, /<td class="life odd">exited, quarantined</);
  assert.match(text, /<td class="next">wait: quarantined: it exited with code 1, until 18:30:05 UTC</);
  assert.match(text, /<td class="life">running, 2 missed</);
});

test("the status page shows the last ten incidents, newest first, without their logs", async () => {
  const all = Array.from({ length: 12 }, (_, index) => incident(index + 1, { slot: `server-${index + 1}` }));
  const { text } = await supertest(apiApp({ incidents: incidentsView(...all) })).get("/");
  const slots = Array.from(text.matchAll(/<td class="slot">([^<]*)</g), ([, slot]) => slot);
  assert.deepEqual(
    slots,
    [12, 11, 10, 9, 8, 7, 6, 5, 4, 3].map((number) => `server-${number}`),
  );
  assert.match(text, /2026-11-24 18:30:05<\/td>.*it was killed by SIGKILL<\/td><td class="number">512 ms<.*healed</);
  assert.ok(!text.includes("its last words"));
});

test("the status page tells an incident that failed from one under way", async () => {
  const { times } = incident(1);
  const { inTrafficMs: _, ...begun } = times;
  const failed = incident(1, {
    outcome: "failed",
    failure: hostile,
    times: { ...begun, failedMs: times.detectedMs + 9 },
  });
  const underWay = incident(2, { outcome: "under-way", times: begun });
  const { text } = await supertest(apiApp({ incidents: incidentsView(failed, underWay) })).get("/");
  assert.match(text, /<td class="number"><\/td><td class="other">under way</);
  assert.match(text, /<td class="number">9 ms<\/td><td class="bad">failed: &#60;script&#62;/);
});
