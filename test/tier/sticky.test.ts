// Sticky sessions on real sockets: who is bound, what the cookie says, and what does not move a client from its member.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { ask, inTurn } from "../tools/http/ask.ts";
import { named } from "../tools/http/origin.ts";
import { freePort } from "../tools/ports.ts";
import { startTier, type TierProcess } from "../tools/process/tiers.ts";
import { fileScope } from "../tools/scope.ts";

const scope = fileScope();
let tier: TierProcess;

before(async () => {
  tier = await startTier(scope, [], { STICKY_COOKIE: "route", TRUSTED_PROXIES: "127.0.0.1" });
});

const cookieOf = async (headers: Readonly<Record<string, string>>, from?: string) => {
  const reply = await ask(tier.port, { headers, ...(from ? { from } : {}) });
  return reply.headers["set-cookie"]?.join();
};

test("a client is bound by a cookie that is Secure where a trusted proxy says that it has come over TLS", async (t) => {
  const [member] = await tier.give((await named(t, "only")).port);
  const plain = `route-proxy=${member}; Path=/; HttpOnly; SameSite=Lax`;
  assert.equal(await cookieOf({}), plain);
  assert.equal(await cookieOf({ "X-Forwarded-Proto": "http" }), plain);
  assert.equal(await cookieOf({ "X-Forwarded-Proto": "https" }), `${plain}; Secure`);
  assert.equal(await cookieOf({ "X-Forwarded-Proto": "https" }, "127.0.0.2"), plain, "of a peer that is not trusted");
  assert.equal(await cookieOf({ "X-Forwarded-Proto": "https", Cookie: `route-proxy=${member}` }), undefined);
});

test("a client that is bound takes nobody's turn: visitors with two requests each are shared evenly", async (t) => {
  const members = await tier.give((await named(t, "one")).port, (await named(t, "other")).port);
  const bound = await inTurn(8, async () => {
    const cookie = await cookieOf({});
    const [, member] = /^route-proxy=([^;]+)/.exec(cookie ?? "") ?? [];
    assert.equal(await cookieOf({ Cookie: `route-proxy=${member}` }), undefined);
    return member;
  });
  const counts = members.map((member) => bound.filter((one) => one === member).length);
  assert.deepEqual(counts, [4, 4]);
});

test("another member's return moves no client from a member that serves", async (t) => {
  const [back, there] = [await freePort(), await named(t, "there")];
  const [returning, bound] = await tier.give(back, there.port);
  await inTurn(2, () => ask(tier.port));
  await tier.event("member-failing", { member: returning });
  await named(t, "back", back);
  await tier.event("member-half-open", { member: returning });
  const headers = { Cookie: `route-proxy=${bound}` };
  const bodies = await inTurn(6, async () => (await ask(tier.port, { headers })).body);
  assert.deepEqual(new Set(bodies), new Set(["there"]));
  assert.equal((await ask(tier.port)).body, "back");
});

test("a POST is not the one request of a member that has come back while others come", async (t) => {
  const [back, there] = [await freePort(), await named(t, "there")];
  const [returning] = await tier.give(back, there.port);
  await inTurn(2, () => ask(tier.port));
  await tier.event("member-failing", { member: returning });
  await named(t, "back", back);
  await tier.event("member-half-open", { member: returning });
  const post = async () => (await ask(tier.port, { method: "POST", body: "x" })).body;
  assert.deepEqual(await inTurn(2, post), ["there", "there"]);
  assert.equal((await ask(tier.port)).body, "back");
});
