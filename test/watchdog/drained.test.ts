// How the watchdog knows that nothing is under way at a member: from the metrics of a real tier in front of it, which follows the registry.

import assert from "node:assert/strict";
import { test } from "node:test";
import { drained, isIdle } from "../../watchdog/act/drained.ts";
import { eventually } from "../tools/eventually.ts";
import { ask } from "../tools/http/ask.ts";
import { origin } from "../tools/http/origin.ts";
import { startTier } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";

const metrics = (version: number, counts: Readonly<Record<string, number>>) =>
  [
    `evenkeel_registry_version ${version}`,
    ...Object.entries(counts).map(([id, count]) => {
      const [upstream, pool = "servers"] = id.split(" of ");
      return `evenkeel_upstream_requests_in_flight{upstream="${upstream}",pool="${pool}"} ${count}`;
    }),
  ].join("\n");

test("a member is idle at a tier that follows the registry and has nothing under way there", () => {
  assert.equal(isIdle(metrics(7, { "app-1": 0, "app-2": 3 }), "app-1", 7), true);
  assert.equal(isIdle(metrics(7, { "app-1": 1 }), "app-1", 7), false);
  assert.equal(isIdle(metrics(6, { "app-1": 0 }), "app-1", 7), false);
  assert.equal(isIdle(metrics(8, {}), "app-1", 7), true);
  assert.equal(isIdle(metrics(7, { "proxy-1 of a": 0, "proxy-1 of b": 1 }), "proxy-1", 7), false);
  assert.equal(isIdle(metrics(7, { "app-1": 0, "app-11": 1 }), "app-1", 7), true);
  assert.equal(isIdle("", "app-1", 7), false);
});

test("a drain ends with the last request, and when its time is over", async (t) => {
  let finish = () => {};
  const server = await origin(t, (_request, response) => {
    finish = () => void response.end("done");
  });
  const tier = await startTier(t, [entry("app-1", server.port)], { ROLE: "proxy", ID: "proxy-1" });
  const answer = ask(tier.port);
  await eventually("it is under way", () => server.asked.length === 1);
  await tier.publish([entry("app-1", server.port, { state: "draining" })]);
  const watch = {
    ...{ member: "app-1", tiers: [{ host: "127.0.0.1", adminPort: tier.adminPort }] },
    ...{ version: () => 2, stop: new AbortController().signal },
  };
  assert.equal(await drained({ ...watch, limitMs: 600 }), false);
  const end = drained({ ...watch, limitMs: 60_000 });
  finish();
  assert.equal(await end, true);
  assert.equal((await answer).body, "done");
});

test("tiers that do not answer hold up nothing; with none to ask a moment has to do", async () => {
  const watch = { member: "app-1", version: () => 2, limitMs: 60_000, stop: new AbortController().signal };
  assert.equal(await drained({ ...watch, tiers: [{ host: "127.0.0.1", adminPort: 1 }] }), true);
  assert.equal(await drained({ ...watch, tiers: [] }), false);
});
