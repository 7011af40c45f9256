// When a request over which members broke has nothing to wait for: those that have answered since were not asked to stop, and without the
// others it broke as many as it may, or has no attempt left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../../services/runtime/clock.ts";
import { adopt, type Member } from "../../services/tier/cluster/members.ts";
import { Tries } from "../../services/tier/forward/tries.ts";
import type { Failure } from "../../services/tier/rules/failures.ts";
import { entry } from "../tools/registry.ts";

const GET = { method: "GET", replayable: true };
/** Longer than what breaks at once, so that it surely broke over the request. */
const LASTED_MS = 15;
const LATER_MS = 10_000;

type Try = readonly [id: string, failure: Failure, lastedMs?: number, behind?: string];

/** @param serve who has answered something that began long after */
async function triedAt(tried: readonly Try[], { serve, leave = [] }: { serve: string[]; leave?: string[] }) {
  const entries = tried.map(([id], index) => entry(id, 9_000 + index, id.startsWith("proxy") ? { group: "1" } : {}));
  const members = adopt(new Map(), entries, 0);
  const tries = new Tries({ isLeaving: ({ id }: Member) => leave.includes(id) }, 1);
  for (const [id, failure, lastedMs = 0, behind] of tried) {
    tries.begin(members.get(id) as Member);
    if (lastedMs > 0) await delay(lastedMs);
    tries.failed(failure, behind);
  }
  for (const id of serve) (members.get(id) as Member).load.provedMs = monotonicMs() + LATER_MS;
  return tries;
}

const two: readonly Try[] = [
  ["server-1", "reset", LASTED_MS],
  ["server-2", "reset", LASTED_MS],
];
const twoProxies: readonly Try[] = [
  ["proxy-1", "no-member-behind", 0, "reset"],
  ["proxy-2", "no-member-behind", 0, "reset"],
  ["proxy-3", "reset", LASTED_MS],
];
const slow: readonly Try[] = [
  ["server-1", "reset", LASTED_MS],
  ["server-2", "connect-timeout"],
  ["server-3", "connect-timeout"],
];

const rows: readonly [what: string, tried: readonly Try[], serve: string[], isVain: boolean][] = [
  ["nobody has answered since", two, [], false],
  ["one of two has: the other may have been asked to stop", two, ["server-1"], false],
  ["both have", two, ["server-1", "server-2"], true],
  [
    "those that perhaps broke over it have, and the one that surely did has not",
    twoProxies,
    ["proxy-1", "proxy-2"],
    false,
  ],
  ["all of these have", twoProxies, ["proxy-1", "proxy-2", "proxy-3"], true],
  ["all of three attempts were made at those that serve on", slow, ["server-1", "server-2", "server-3"], true],
  ["an attempt would be left if one had been asked to stop", slow, ["server-1", "server-2"], false],
];

for (const [what, tried, serve, isVain] of rows)
  test(`${what}: ${isVain ? "in vain" : "it waits"}`, async () => {
    const tries = await triedAt(tried, { serve });
    const last = tried.at(-1) as Try;
    assert.equal(tries.isSuspect(last[1], GET), true);
    assert.deepEqual([tries.isCleared, tries.isVain], [false, isVain]);
  });

test("who was asked to stop counts for neither", async () => {
  const tries = await triedAt(two, { serve: ["server-1", "server-2"], leave: ["server-1"] });
  assert.deepEqual([tries.isCleared, tries.isVain], [true, false]);
});

test("an answer to what began in the moment of the break says nothing", async () => {
  const tries = await triedAt(two, { serve: [] });
  tries.begin(tries.member);
  tries.answering(200);
  assert.equal(tries.isVain, false);
});
