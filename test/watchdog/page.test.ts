// The status page through supertest: what it is without a script, its files, its stream of events, and the page of an incident.

import assert from "node:assert/strict";
import { test } from "node:test";
import supertest from "supertest";
import { BRIEFLY_MS } from "../../services/runtime/briefly.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import { eventually } from "../tools/eventually.ts";
import { apiApp, incident, incidentsView } from "../tools/watchdog/api.ts";
import { serving, slotOf, slotState } from "../tools/watchdog/slot-states.ts";
import { member, state } from "../tools/watchdog/state.ts";

const hostile = `<script>alert("1")</script>&'x'`;
const escaped = "&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;&#39;x&#39;";
const wait = (id: string, reason: string): Step => ({
  kind: "wait",
  slot: slotOf(id),
  reason,
  untilMs: 0,
  alert: false,
});
const slotStates = [serving("balancer"), serving("server-1"), slotState("server-2")];
const shown = state([member("balancer", { generation: 3 }), member("server-1")], slotStates, [
  wait("server-2", "it rests"),
]);
const ask = (now = shown) => supertest(apiApp({ state: () => now }));

test("without a script the page is a table with a row for each slot, and loads itself anew", async () => {
  const { text } = await ask().get("/").expect(200).expect("Content-Type", "text/html; charset=utf-8");
  const slots = Array.from(text.matchAll(/<th scope="row" role="rowheader">([^<]*)</g), ([, slot]) => slot);
  assert.deepEqual(slots, ["servers", "balancer", "server-1", "server-2"]);
  assert.match(text, /<h1 class="mark odd">Degraded<\/h1>/);
  assert.match(text, /2 of 3 members serve: server-2 is down\./);
  assert.match(text, /<noscript><meta http-equiv="refresh" content="2"><\/noscript>/);
  assert.match(
    text,
    /<span class="mark bad">down<\/span> <span class="why">nothing fills the slot<\/span><span class="next">Next: wait: it rests<\/span>/,
  );
});

test("the page loads nothing from elsewhere, stands in no frame, and runs no script but its own", async () => {
  const { headers, text } = await ask().get("/");
  const policy = headers["content-security-policy"] ?? "";
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(!/unsafe|https?:|\*/.test(policy), policy);
  const loaded = Array.from(text.matchAll(/(?:src|href)="([^"#]+)"/g), ([, url = ""]) => url);
  assert.deepEqual(
    loaded.filter((url) => !url.startsWith("/")),
    [],
  );
  assert.ok(!/ style="| on\w+="/.test(text));
  assert.equal(headers["x-powered-by"], undefined);
});

test("its files are served with their types, and of others there are none", async () => {
  await ask()
    .get("/page/page.css")
    .expect(200)
    .expect("Content-Type", /^text\/css/)
    .expect("X-Content-Type-Options", "nosniff");
  await ask()
    .get("/page/icon.svg")
    .expect(200)
    .expect("Content-Type", /^image\/svg/);
  for (const path of ["/page/", "/page/index.html", "/page/page.ts", "/page/..%2fpage.ts", "/page/feed.ts"])
    await ask().get(path).expect(404);
  for (const path of ["/", "/page/page.css", "/page/events"]) await ask().post(path).expect(404);
});

test("names and reasons are text on the page, never markup", async () => {
  const slot = { ...slotOf("server-1"), id: hostile, group: hostile, service: hostile };
  const bad = state([member(hostile, { host: hostile })], [{ ...serving("server-1"), slot }], [wait(hostile, hostile)]);
  const app = supertest(
    apiApp({ state: () => bad, incidents: incidentsView(incident(1, { cause: hostile, slot: hostile })) }),
  );
  for (const path of ["/", "/incidents/1"]) {
    const { text } = await app.get(path).expect(200);
    assert.ok(!text.includes("<script>"), text);
    assert.ok(!text.includes(hostile));
    assert.ok(text.includes(escaped));
  }
});

test("nothing is said well of nobody: before the watchdog has looked the state is unknown", async () => {
  const { text } = await ask(state([member("balancer")], [])).get("/");
  assert.match(text, /<h1 class="mark unknown">Unknown<\/h1><p class="reason">The watchdog has yet to look\.</);
  assert.ok(!text.includes("0 of 0"));
});

test("the page says that rounds fail, and why, and is well again behind that", async () => {
  let failing: string | undefined = "ENOSPC: no space left on device, write '<b>'";
  const app = supertest(apiApp({ state: () => ({ ...shown, failing }) }));
  const { text } = await app.get("/");
  assert.match(text, /role="alert">The watchdog&#39;s rounds fail: ENOSPC: .*&#60;b&#62;/);
  failing = undefined;
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
  assert.ok(made <= 2 + (performance.now() - startedMs) / BRIEFLY_MS, `${made} times`);
});

test("the page has the last twenty incidents, newest first, without their logs", async () => {
  const all = Array.from({ length: 22 }, (_, index) => incident(index + 1, { slot: `server-${index + 1}` }));
  const { text } = await supertest(apiApp({ incidents: incidentsView(...all) })).get("/");
  const numbers = Array.from(text.matchAll(/href="\/incidents\/(\d+)"/g), ([, number]) => Number(number));
  assert.deepEqual(
    numbers,
    Array.from({ length: 20 }, (_, index) => 22 - index),
  );
  assert.match(text, /healed in 512 ms</);
  assert.match(text, /decide 3 ms.*create 40 ms.*start 137 ms.*ready 325 ms.*traffic 7 ms/);
  assert.ok(!text.includes("its last words"));
});

test("an incident's page has its times, what changed, and the dead member's last lines where the reader is of this host", async () => {
  const app = supertest(apiApp({ incidents: incidentsView(incident(17)) }));
  const { text } = await app
    .get("/incidents/17")
    .expect(200)
    .expect("Content-Security-Policy", /^default-src 'none'/);
  assert.match(text, /server-4: it was killed by SIGKILL/);
  assert.match(text, /detected 2026-11-24 18:30:05 UTC/);
  assert.match(text, /in traffic<\/th><td class="mono">18:30:05\.635<\/td><td class="number">\+512 ms</);
  assert.match(text, /port: 9004 &#62; 9005/);
  assert.match(text, /its last words/);
  const elsewhere = await app.get("/incidents/17").set("X-Forwarded-For", "203.0.113.9").expect(200);
  assert.ok(!elsewhere.text.includes("its last words"));
  assert.match(elsewhere.text, /Not shown: what members wrote is shown on the watchdog&#39;s own host/);
});

test("of an incident that is not there the page says so", async () => {
  for (const number of ["99", "x", "1e3", hostile]) {
    const { text } = await supertest(apiApp())
      .get(`/incidents/${encodeURIComponent(number)}`)
      .expect(404);
    assert.match(text, /There is no incident/);
    assert.ok(!text.includes("<script>"));
  }
});
