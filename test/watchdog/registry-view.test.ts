// What a round's observations become in the registry: who is in it, where, and whether it takes traffic.
// Each fact is one slot, the entry it had before, and the entry it has now.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberState, RegistryMember } from "../../services/registry/document.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import { membersOf, sameMembers } from "../../watchdog/rules/registry-view.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import {
  askedAt,
  exited,
  found,
  notReady,
  running,
  serving,
  silent,
  slotState,
  stopped,
} from "../tools/watchdog/slot-states.ts";

const HERE = { host: "10.0.0.1", port: 9001, adminPort: 9101 };
const serves: RegistryMember = { id: "server-1", role: "server", group: "1", ...HERE, state: "serving", generation: 1 };
const starts: RegistryMember = { ...serves, state: "starting" };
const down: RegistryMember = { ...serves, state: "down" };
/** It runs, and nobody knows where: a new container, or a watchdog that has just come back. */
const unread = found("server-1", { kind: "running", sinceMs: 0 });

const round = (...slotStates: readonly SlotState[]) => ({
  slotStates,
  steps: [],
  generations: new Map<string, number>(),
});
const entryOf = (now: SlotState, before: readonly RegistryMember[], generation: number) =>
  membersOf({ slotStates: [now], steps: [], generations: new Map([[now.slot.id, generation]]) }, before);

const facts: readonly [string, SlotState, RegistryMember | undefined, number, RegistryMember | undefined][] = [
  ["a member that passes its probe serves where it said it listens", serving("server-1"), undefined, 1, serves],
  [
    "a member of one of several nodes says on which it is",
    slotState("server-1", { ...serving("server-1"), found: running("server-1", { node: { name: "node-2" } }) }),
    undefined,
    1,
    { ...serves, node: "node-2" },
  ],
  ["a member that starts to serve is no longer starting", serving("server-1"), starts, 1, serves],
  [
    "a new member whose ports are unknown is not in it yet",
    slotState("server-1", { found: unread }),
    undefined,
    1,
    undefined,
  ],
  ["an empty slot that was never filled is not in it", slotState("server-1"), undefined, 0, undefined],
  ["a dead member goes down at its old address", slotState("server-1", { found: exited("server-1") }), serves, 1, down],
  ["a removed member goes down at its old address", slotState("server-1"), serves, 1, down],
  ["a paused member is down", slotState("server-1", { found: found("server-1", { kind: "paused" }) }), serves, 1, down],
  [
    "a dead member that may have been stopped on purpose is down until that is clear",
    slotState("server-1", { found: exited("server-1"), intent: askedAt(0) }),
    serves,
    1,
    down,
  ],
  [
    "a member stopped on purpose goes out of it",
    slotState("server-1", { found: exited("server-1"), intent: stopped }),
    serves,
    1,
    undefined,
  ],
  [
    "a member stopped on purpose and removed stays out of it",
    slotState("server-1", { intent: stopped }),
    undefined,
    1,
    undefined,
  ],
  [
    "a member that runs again after a deliberate stop serves",
    serving("server-1", { intent: stopped }),
    undefined,
    1,
    serves,
  ],
  [
    "a member whose ports are not read yet keeps its entry when it is the one that was published",
    slotState("server-1", { found: unread }),
    serves,
    1,
    serves,
  ],
  [
    "a member that nobody has probed yet keeps its state when it is the one that was published",
    slotState("server-1", { found: running("server-1") }),
    serves,
    1,
    serves,
  ],
  [
    "a new generation that nobody has probed yet is starting",
    slotState("server-1", { found: running("server-1") }),
    serves,
    2,
    { ...starts, generation: 2 },
  ],
  [
    "a new generation is down until it is known where it listens",
    slotState("server-1", { found: unread }),
    serves,
    2,
    down,
  ],
  [
    "a new generation that serves is published at its new address",
    serving("server-1", { found: running("server-1", { host: "10.0.0.9", ports: { port: 9002, adminPort: 9102 } }) }),
    down,
    2,
    { ...serves, host: "10.0.0.9", port: 9002, adminPort: 9102, generation: 2 },
  ],
  [
    "a member whose address is unknown is down",
    slotState("server-1", { found: { ...unread, ports: { port: 9001, adminPort: 9101 } } }),
    serves,
    2,
    down,
  ],
  [
    "one missed probe takes nobody out of traffic",
    serving("server-1", { probed: silent, missed: 1 }),
    serves,
    1,
    serves,
  ],
  [
    "a member that has yet to serve and misses a probe goes on starting",
    serving("server-1", { probed: silent, missed: 1 }),
    starts,
    1,
    starts,
  ],
  [
    "a member that was down and misses a probe is starting",
    serving("server-1", { probed: silent, missed: 1 }),
    down,
    1,
    starts,
  ],
  [
    "a new member that misses a probe is starting",
    serving("server-1", { probed: silent, missed: 1 }),
    undefined,
    1,
    starts,
  ],
  ["a member that says it is not ready is starting", serving("server-1", { probed: notReady }), serves, 1, starts],
  [
    "a member that says it was told to stop is draining though it still answers",
    serving("server-1", { found: running("server-1", { draining: true }) }),
    serves,
    1,
    { ...serves, state: "draining" },
  ],
  [
    "a running member that was asked to stop is draining",
    serving("server-1", { intent: askedAt(0) }),
    serves,
    1,
    { ...serves, state: "draining" },
  ],
  [
    "a running member that got a signal which asks nothing goes on serving",
    serving("server-1", { intent: { kind: "asked", atMs: 0, engineMs: 0, toStop: false } }),
    serves,
    1,
    serves,
  ],
  ["a client is never in it", serving("client"), undefined, 1, undefined],
];

for (const [fact, now, before, generation, expected] of facts) {
  test(fact, () => {
    assert.deepEqual(entryOf(now, before ? [before] : [], generation), expected ? [expected] : []);
  });
}

test("an operator's weight goes before that of the label, and both before none", () => {
  const weightOf = (weight: number | undefined, label: number | undefined) => {
    const labels = {
      role: "server",
      reports: true,
      heal: true,
      ...(label !== undefined && { weight: label }),
    } as const;
    const slot = { id: "app-1", role: "server", group: "1", labels } as const;
    return entryOf(serving("server-1", { slot, ...(weight !== undefined && { weight }) }), [], 1)[0]?.weight;
  };
  assert.deepEqual([weightOf(0, 3), weightOf(undefined, 3), weightOf(7, undefined)], [0, 3, 7]);
  assert.equal(weightOf(undefined, undefined), undefined);
});

test("a slot without a group is published without one", () => {
  const [balancer] = entryOf(serving("balancer"), [], 1);
  assert.deepEqual(balancer, { id: "balancer", role: "balancer", ...HERE, state: "serving", generation: 1 });
});

test("members stand in the order of the slots, and one whose slot is gone leaves", () => {
  const members = membersOf(round(serving("proxy-1"), serving("server-2")), [serves]);
  assert.deepEqual(
    members.map(({ id }) => id),
    ["proxy-1", "server-2"],
  );
});

test("the same members are no change; another state, address or member is", () => {
  const again = () => entryOf(serving("server-1"), [serves], 1);
  assert.ok(sameMembers(again(), [serves]));
  assert.ok(sameMembers(entryOf(serving("server-1"), [down], 1), [serves]));
  assert.ok(!sameMembers(again(), [starts]));
  assert.ok(!sameMembers(again(), [{ ...serves, port: 9002 }]));
  assert.ok(!sameMembers(again(), []));
});

test("members read back from disk are the same as those that were written", () => {
  const members = membersOf(
    { ...round(serving("server-1"), serving("balancer")), generations: new Map([["server-1", 4]]) },
    [],
  );
  assert.ok(sameMembers(members, JSON.parse(JSON.stringify(members)) as RegistryMember[]));
});

const hangs = serving("server-1", { probed: silent, missed: 2 });
const slot = hangs.slot;
const waits = { kind: "wait", slot, reason: "after server-2", untilMs: 0, alert: false } as const;
const verdicts: readonly [string, SlotState, Step | undefined, MemberState][] = [
  [
    "is to be replaced now",
    hangs,
    { kind: "heal", slot, reason: "", replaces: "a", gently: false, portMoves: 0 },
    "down",
  ],
  ["is to be replaced later", hangs, waits, "down"],
  ["hangs for a reason that may be ours", hangs, { ...waits, alert: true }, "serving"],
  ["has only missed a probe", { ...hangs, missed: 1 }, undefined, "serving"],
  ["answers, and is to be replaced later", serving("server-1"), waits, "serving"],
];

for (const [what, slotState, step, state] of verdicts) {
  test(`a member that ${what} is ${state}`, () => {
    const now = { ...round(slotState), steps: step ? [step] : [], generations: new Map([["server-1", 1]]) };
    assert.deepEqual(membersOf(now, [serves]), [{ ...serves, state }]);
  });
}
