// Concurrency: how many requests one member works on, and which of those that wait goes on. And sticky cookies, which are as small.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Concurrency } from "../../services/tier/cluster/concurrency.ts";
import { MemberCounts } from "../../services/tier/cluster/counts.ts";
import { healthy } from "../../services/tier/cluster/health.ts";
import type { Member } from "../../services/tier/cluster/members.ts";
import type { Waiter } from "../../services/tier/cluster/queue.ts";
import { bindTo, cookieName, stickyMember } from "../../services/tier/cluster/sticky.ts";

function member(id: string): Member {
  const address = {
    host: "127.0.0.1",
    port: 9001,
    adminPort: undefined,
    healthPath: undefined,
    strip: undefined,
    node: undefined,
    leaving: false,
    recreated: false,
    link: false,
    servers: 1,
  };
  const rest = { state: "serving", weight: 1, healedAtMs: undefined, health: healthy } as const;
  return {
    id,
    role: "server",
    instance: id,
    ...address,
    ...rest,
    load: { open: 0, answering: 0, provedMs: 0 },
    counts: new MemberCounts(),
  };
}

let one: Member;
beforeEach(() => {
  one = member("server-1");
});

interface Waiting extends Waiter {
  /** Resolves with what became of it. */
  readonly over: Promise<string>;
}

/** @param at takes the capacity that it is given: a member's */
function waiter(name: string, at?: () => void): Waiting {
  let resolve: (what: string) => void = () => {};
  const over = new Promise<string>((fulfil) => {
    resolve = fulfil;
  });
  const proceed = () => {
    at?.();
    resolve(`${name} proceeds`);
  };
  return { over, ready: true, proceed, giveUp: () => resolve(`${name} gives up`) };
}

test("a member has capacity until it works on as many requests as it may", () => {
  const concurrency = new Concurrency({ perMemberMax: 2, waitingMax: 1, waitMsMax: 1_000 });
  concurrency.acquire(one);
  assert.equal(concurrency.hasCapacity(one), true);
  concurrency.acquire(one);
  assert.equal(concurrency.hasCapacity(one), false);
  assert.equal(concurrency.hasCapacity(member("server-2")), true);
  concurrency.release(one);
  assert.equal(concurrency.load(one), 1);
});

test("a proxy has capacity until it works on as many as its servers may together", () => {
  const concurrency = new Concurrency({ perMemberMax: 2, waitingMax: 1, waitMsMax: 1_000 });
  const proxy = { ...member("proxy-1"), servers: 3 };
  for (let number = 0; number < 5; number += 1) concurrency.acquire(proxy);
  assert.equal(concurrency.hasCapacity(proxy), true);
  concurrency.acquire(proxy);
  assert.equal(concurrency.hasCapacity(proxy), false);
});

test("a member whose response is on its way has capacity, and still its load", () => {
  const concurrency = new Concurrency({ perMemberMax: 1, waitingMax: 1, waitMsMax: 1_000 });
  concurrency.acquire(one);
  concurrency.answering(one);
  assert.deepEqual([concurrency.hasCapacity(one), concurrency.load(one)], [true, 1]);
  concurrency.release(one, true);
  assert.deepEqual([concurrency.hasCapacity(one), concurrency.load(one)], [true, 0]);
});

test("the exchange that has waited longest gets the first capacity that comes free", async () => {
  const concurrency = new Concurrency({ perMemberMax: 1, waitingMax: 2, waitMsMax: 60_000 });
  concurrency.acquire(one);
  const take = () => concurrency.acquire(one);
  const [first, second] = [waiter("first", take), waiter("second", take)];
  assert.deepEqual(
    [first, second].map((each) => concurrency.wait(each)),
    [true, true],
  );
  concurrency.release(one);
  assert.equal(await Promise.race([second.over, first.over]), "first proceeds");
  concurrency.release(one);
  assert.equal(await second.over, "second proceeds");
});

test("no exchange waits behind a full queue, nor longer than the limit", async () => {
  const concurrency = new Concurrency({ perMemberMax: 1, waitingMax: 1, waitMsMax: 20 });
  concurrency.acquire(one);
  const waiting = waiter("first");
  assert.equal(concurrency.wait(waiting), true);
  assert.equal(concurrency.wait(waiter("second")), false);
  assert.equal(await waiting.over, "first gives up");
});

test("capacity that the first in the queue cannot use goes to the next that can", async () => {
  const concurrency = new Concurrency({ perMemberMax: 1, waitingMax: 2, waitMsMax: 60_000 });
  concurrency.acquire(one);
  const [first, second] = [{ ...waiter("first"), ready: false }, waiter("second", () => concurrency.acquire(one))];
  for (const each of [first, second]) concurrency.wait(each);
  concurrency.release(one);
  assert.equal(await second.over, "second proceeds");
  concurrency.leave(first);
});

test("an exchange that leaves the queue keeps no place in it", async () => {
  const concurrency = new Concurrency({ perMemberMax: 1, waitingMax: 1, waitMsMax: 60_000 });
  concurrency.acquire(one);
  const [left, next] = [waiter("left"), waiter("next")];
  concurrency.wait(left);
  concurrency.leave(left);
  assert.equal(concurrency.wait(next), true);
  concurrency.release(one);
  assert.equal(await Promise.race([left.over, next.over]), "next proceeds");
});

test("all that can go on do when members have come or gone, and one that frees capacity meanwhile wakes another", async () => {
  const concurrency = new Concurrency({ perMemberMax: 1, waitingMax: 3, waitMsMax: 60_000 });
  const twice = () => {
    concurrency.acquire(one);
    concurrency.release(one);
  };
  const waiting = ["a", "b", "c"].map((name) => waiter(name, twice));
  for (const each of waiting) concurrency.wait(each);
  concurrency.membersChanged();
  assert.deepEqual(await Promise.all(waiting.map(({ over }) => over)), ["a proceeds", "b proceeds", "c proceeds"]);
});

test("a sticky cookie names the member, one cookie a tier", () => {
  const name = cookieName("evenkeel", "server");
  const bound = { name, member: "server-4", secure: false, sameSite: "lax" } as const;
  assert.equal(bindTo(bound), "evenkeel-server=server-4; Path=/; HttpOnly; SameSite=Lax");
  assert.equal(stickyMember("a=b; evenkeel-server=server-4; evenkeel-proxy=proxy-1", name), "server-4");
  assert.equal(stickyMember("evenkeel-serverx=server-4", name), undefined);
  assert.equal(stickyMember(undefined, name), undefined);
});

test("a sticky cookie is Secure when the client came over TLS, and SameSite as set, but never None without Secure", () => {
  const bound = { name: "c", member: "m" };
  const attributes = (secure: boolean, sameSite: "lax" | "strict" | "none") =>
    bindTo({ ...bound, secure, sameSite }).replace("c=m; Path=/; HttpOnly; ", "");
  assert.equal(attributes(true, "lax"), "SameSite=Lax; Secure");
  assert.equal(attributes(true, "none"), "SameSite=None; Secure");
  assert.equal(attributes(false, "none"), "SameSite=Lax");
  assert.equal(attributes(false, "strict"), "SameSite=Strict");
});
