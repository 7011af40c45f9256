// Places at members: how many requests one works on, and who waits when all are full. And sticky cookies, which are as small.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Places } from "../../services/tier/cluster/concurrency.ts";
import { healthy } from "../../services/tier/cluster/health.ts";
import type { Member } from "../../services/tier/cluster/members.ts";
import { bindTo, cookieName, stickyMember } from "../../services/tier/cluster/sticky.ts";

function member(id: string): Member {
  const address = { host: "127.0.0.1", port: 9001, adminPort: undefined };
  const rest = { state: "serving", weight: 1, healedAtMs: undefined, health: healthy } as const;
  return { id, role: "server", instance: id, ...address, ...rest };
}

const one = member("server-1");

test("a member has a place until it works on as many requests as it may", () => {
  const places = new Places({ perMemberMax: 2, waitingMax: 1, waitMsMax: 1_000 });
  places.take(one);
  assert.equal(places.hasPlace(one), true);
  places.take(one);
  assert.equal(places.hasPlace(one), false);
  assert.equal(places.hasPlace(member("server-2")), true);
  places.free(one);
  assert.equal(places.taken(one), 1);
});

test("who has waited longest gets the first place that comes free", async () => {
  const places = new Places({ perMemberMax: 1, waitingMax: 2, waitMsMax: 60_000 });
  places.take(one);
  const order: string[] = [];
  const first = places.wait().then((freed) => order.push(`first ${freed}`));
  const second = places.wait().then((freed) => order.push(`second ${freed}`));
  places.free(one);
  await first;
  assert.deepEqual(order, ["first true"]);
  places.take(one);
  places.free(one);
  await second;
  assert.deepEqual(order, ["first true", "second true"]);
});

test("nobody waits behind a full queue, nor longer than the limit", async () => {
  const places = new Places({ perMemberMax: 1, waitingMax: 1, waitMsMax: 20 });
  places.take(one);
  const waiting = places.wait();
  assert.equal(await places.wait(), false);
  assert.equal(await waiting, false);
});

test("a sticky cookie names the member, one cookie a tier", () => {
  const name = cookieName("evenkeel", "server");
  assert.equal(bindTo(name, "server-4"), "evenkeel-server=server-4; Path=/; HttpOnly; SameSite=Lax");
  assert.equal(stickyMember("a=b; evenkeel-server=server-4; evenkeel-proxy=proxy-1", name), "server-4");
  assert.equal(stickyMember("evenkeel-serverx=server-4", name), undefined);
  assert.equal(stickyMember(undefined, name), undefined);
});
