// Concurrency: how many requests one member works on, and which of those that wait goes on. And sticky cookies, which are as small.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Concurrency, type Waiter } from "../../services/tier/cluster/concurrency.ts";
import { healthy } from "../../services/tier/cluster/health.ts";
import type { Member } from "../../services/tier/cluster/members.ts";
import { bindTo, cookieName, stickyMember } from "../../services/tier/cluster/sticky.ts";

function member(id: string): Member {
  const address = { host: "127.0.0.1", port: 9001, adminPort: undefined, link: false };
  const rest = { state: "serving", weight: 1, healedAtMs: undefined, health: healthy } as const;
  return { id, role: "server", instance: id, ...address, ...rest };
}

const one = member("server-1");

interface Waiting extends Waiter {
  /** Resolves with what became of it. */
  readonly over: Promise<string>;
}

function waiter(name: string): Waiting {
  let resolve: (what: string) => void = () => {};
  const over = new Promise<string>((fulfil) => {
    resolve = fulfil;
  });
  return { over, proceed: () => resolve(`${name} proceeds`), giveUp: () => resolve(`${name} gives up`) };
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
  const [first, second] = [waiter("first"), waiter("second")];
  assert.deepEqual(
    [first, second].map((each) => concurrency.wait(each)),
    [true, true],
  );
  concurrency.release(one);
  assert.equal(await Promise.race([second.over, first.over]), "first proceeds");
  concurrency.acquire(one);
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

test("a sticky cookie names the member, one cookie a tier", () => {
  const name = cookieName("evenkeel", "server");
  assert.equal(bindTo(name, "server-4"), "evenkeel-server=server-4; Path=/; HttpOnly; SameSite=Lax");
  assert.equal(stickyMember("a=b; evenkeel-server=server-4; evenkeel-proxy=proxy-1", name), "server-4");
  assert.equal(stickyMember("evenkeel-serverx=server-4", name), undefined);
  assert.equal(stickyMember(undefined, name), undefined);
});
