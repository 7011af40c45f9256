// Who a tier takes out of traffic, on real sockets, and how a member comes back: a probe that passes, then one request that
// decides.

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { before, test } from "node:test";
import { eventually } from "../tools/eventually.ts";
import { ask, begin, inTurn } from "../tools/http/ask.ts";
import { named, origin } from "../tools/http/origin.ts";
import { freePort } from "../tools/ports.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** One balancer for the whole file; each test gives it members that it has not met. */
const scope = fileScope();
let tier: TierProcess;

before(async () => {
  tier = await startTier(scope, []);
});

test("a member that answers five times in a row with a 5xx is taken out of traffic", async (t) => {
  const broken = await origin(t, (_request, response) => response.writeHead(500).end("broken"));
  const good = await named(t, "good");
  const [member] = await tier.give(broken.port, good.port);
  const statuses = await inTurn(14, async () => (await ask(tier.port)).status);
  assert.deepEqual([statuses.filter((status) => status === 500).length, broken.asked.length], [5, 5]);
  assert.equal((await tier.event("member-failing", { member })).reason, "5 failures in a row, the last: status 500");
});

test("a member that was taken out comes back when it takes connections again", async (t) => {
  const [back, there] = [await freePort(), await named(t, "there")];
  const [member] = await tier.give(back, there.port);
  await inTurn(2, () => ask(tier.port));
  await tier.event("member-failing", { member });
  const returned = await named(t, "back", back);
  await tier.event("member-half-open", { member, was: "ejected" });
  // The next request decides; then it has its turns again.
  const bodies = await inTurn(5, async () => (await ask(tier.port)).body);
  assert.equal(bodies[0], "back");
  assert.deepEqual(bodies.slice(1).sort(), ["back", "back", "there", "there"]);
  assert.equal(returned.asked.length, 3);
  await tier.event("member-recovered", { member, now: "up" });
});

test("a member with an admin port comes back only when that says ready", async (t) => {
  const [back, there] = [await freePort(), await named(t, "there")];
  let ready = false;
  const admin = await origin(t, (_request, response) => response.writeHead(ready ? 200 : 503).end());
  await tier.publish([entry("proxy-admin", back, { adminPort: admin.port }), entry("proxy-there", there.port)]);
  await inTurn(2, () => ask(tier.port));
  await named(t, "back", back);
  await eventually("three probes", () => admin.asked.length >= 3);
  assert.deepEqual(admin.asked[0]?.url, "/readyz");
  assert.equal((await ask(tier.port)).body, "there");
  ready = true;
  await tier.event("member-half-open", { member: "proxy-admin" });
});

test("a half-open member whose one request gets an answer without an end is back when that has begun", async (t) => {
  const [back, there] = [await freePort(), await named(t, "there")];
  const [member] = await tier.give(back, there.port);
  await inTurn(2, () => ask(tier.port));
  const events: RequestListener = (request, response) => {
    if (request.url === "/events") response.write("data: 1\n\n");
    else response.end("back");
  };
  await origin(t, events, back);
  await tier.event("member-half-open", { member });
  const stream = await begin(tier.port, { path: "/events" });
  t.after(() => void stream.on("error", () => {}).destroy());
  const bodies = await inTurn(4, async () => (await ask(tier.port)).body);
  assert.deepEqual(bodies.sort(), ["back", "back", "there", "there"]);
});
