// Whose silence takes a member out of traffic where the engine replaces members by itself: by member, by node, by tier, by all.
// And that no round of such an engine has anything to do but to wait.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NoExecutor } from "../../watchdog/act/no-executor.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import { planObserved } from "../../watchdog/rules/plan-observed.ts";
import { membersOf } from "../../watchdog/rules/registry-view.ts";
import { silentMembers } from "../../watchdog/rules/silent-members.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { askedAt, exited, found, notReady, passed, running, silent, slotState } from "../tools/watchdog/slot-states.ts";

const LIMITS = { missedMax: 2, startTimeoutMs: 30_000 };
const NOW_MS = 60_000;

/** A member of a node, with so many probes missed. */
function on(node: string, id: string, missed: number, changes: Partial<SlotState> = {}): SlotState {
  const probed = missed === 0 ? passed : silent;
  return slotState(id, { found: running(id, { node: { name: node } }), probed, missed, ...changes });
}

/** Such as "server-1 down, server-2 left"; those that are neither are not named. */
function shown(states: readonly SlotState[]): string {
  return [...silentMembers(states, LIMITS.missedMax)].map(([id, { kind }]) => `${id} ${kind}`).join(", ");
}

type Fact = readonly [what: string, states: readonly SlotState[], shown: string];
const facts: readonly Fact[] = [
  ["all answer", [on("a", "server-1", 0), on("b", "server-2", 0)], ""],
  ["one missed one probe", [on("a", "server-1", 1), on("a", "server-2", 0), on("b", "server-3", 0)], ""],
  [
    "one of a node is silent",
    [on("a", "server-1", 2), on("a", "server-2", 0), on("b", "server-3", 0)],
    "server-1 down",
  ],
  [
    "half of a tier is silent, on two nodes whose other members answer",
    [on("a", "server-1", 2), on("b", "server-2", 2), on("a", "server-3", 0), on("b", "server-4", 0)],
    "server-1 down, server-2 down",
  ],
  [
    "all of one node are silent",
    [
      on("a", "server-1", 2),
      on("a", "server-2", 3),
      on("a", "proxy-1", 2),
      on("b", "server-3", 0),
      on("b", "proxy-2", 0),
    ],
    "server-1 down, server-2 down, proxy-1 down",
  ],
  [
    "all of one node are silent, some for one probe yet: all of them at once",
    [on("a", "server-1", 2), on("a", "server-2", 1), on("b", "server-3", 0)],
    "server-1 down, server-2 down",
  ],
  [
    "all of one node missed one probe, and none of them two",
    [on("a", "server-1", 1), on("a", "server-2", 1), on("b", "server-3", 0)],
    "",
  ],
  [
    "the one node that has servers is silent: they are down, though none serves",
    [on("a", "server-1", 2), on("a", "server-2", 2), on("b", "proxy-1", 0)],
    "server-1 down, server-2 down",
  ],
  [
    "two of three nodes are silent",
    [on("a", "server-1", 2), on("b", "server-2", 2), on("c", "server-3", 0)],
    "server-1 down, server-2 down",
  ],
  [
    "all nodes are silent: it is our own sight",
    [on("a", "server-1", 2), on("a", "server-2", 2), on("b", "server-3", 9)],
    "server-1 left, server-2 left, server-3 left",
  ],
  ["all of the only node are silent", [on("a", "server-1", 2), on("a", "proxy-1", 2)], "server-1 left, proxy-1 left"],
  [
    "one of the only node is silent",
    [on("a", "server-1", 2), on("a", "server-2", 0), on("a", "proxy-1", 0)],
    "server-1 down",
  ],
  [
    "the last server of a node that answers is silent",
    [on("a", "server-1", 2), on("a", "proxy-1", 0)],
    "server-1 left",
  ],
  ["the last server, asked three times as often", [on("a", "server-1", 6), on("a", "proxy-1", 0)], "server-1 down"],
  [
    "both servers are silent, and their nodes are not",
    [on("a", "server-1", 2), on("b", "server-2", 6), on("a", "proxy-1", 0), on("b", "proxy-2", 0)],
    "server-1 left, server-2 down",
  ],
  [
    "to say that it is not ready is an answer",
    [on("a", "server-1", 2), on("b", "proxy-1", 0, { probed: notReady })],
    "server-1 down",
  ],
  [
    "one that nobody has asked yet is no sign of its node's life, nor of its death",
    [on("a", "server-1", 2), slotState("server-2", { found: running("server-2", { node: { name: "b" } }) })],
    "server-1 left",
  ],
  ["there is only one member, and it is silent", [on("a", "server-1", 2)], "server-1 left"],
];

for (const [what, states, expected] of facts) {
  test(`${what}: ${expected || "nobody is taken out"}`, () => assert.equal(shown(states), expected));
}

test("a reason names the node and what its members answered", () => {
  const states = [on("beta", "server-1", 2), on("alpha", "server-2", 0)];
  const { reason } = silentMembers(states, 2).get("server-1") ?? {};
  assert.equal(reason, "no member on beta answers, and others do: 2 probes in a row went unanswered (ECONNREFUSED)");
});

/** The registry's word on each after a round, where all were serving before. */
function published(states: readonly SlotState[]): string[] {
  const steps = planObserved(states, LIMITS, NOW_MS);
  const generations = new Map(states.map(({ slot }) => [slot.id, 1]));
  const before = states.map(({ slot: { id, role } }) => {
    return { id, role: role as "server", host: "10.0.0.1", port: 9001, state: "serving" as const, generation: 1 };
  });
  return membersOf({ slotStates: states, steps, generations }, before).map(({ id, state }) => `${id} ${state}`);
}

test("who is down by these rules is down in the registry, and who is left serves on", () => {
  const nodeLost = [on("a", "server-1", 2), on("a", "server-2", 1), on("b", "server-3", 0), on("b", "server-4", 1)];
  assert.deepEqual(published(nodeLost), ["server-1 down", "server-2 down", "server-3 serving", "server-4 serving"]);
  const blind = [on("a", "server-1", 2), on("b", "server-2", 2)];
  assert.deepEqual(published(blind), ["server-1 serving", "server-2 serving"]);
});

test("a member that drains keeps draining while it answers, and is down when it is silent", () => {
  const draining = (missed: number) =>
    on("a", "server-1", missed, { found: running("server-1", { node: { name: "a" }, draining: true }) });
  const other = on("b", "server-2", 0);
  assert.deepEqual(published([draining(0), other]), ["server-1 draining", "server-2 serving"]);
  assert.deepEqual(published([draining(1), on("a", "server-3", 0)]), ["server-1 draining", "server-3 serving"]);
  assert.deepEqual(published([draining(2), other]), ["server-1 down", "server-2 serving"]);
});

type Wait = readonly [what: string, state: SlotState, reason: RegExp | undefined, alert?: boolean];
const beside = on("b", "server-9", 0);
const waits: readonly Wait[] = [
  ["serves", on("a", "server-1", 0), undefined],
  [
    "was made and is not started yet",
    slotState("server-1", { found: found("server-1", { kind: "created" }) }),
    undefined,
  ],
  [
    "cannot be placed",
    slotState("server-1", { found: found("server-1", { kind: "created", error: "no suitable node" }) }),
    /^it is not started yet: no suitable node$/,
    false,
  ],
  ["is silent", on("a", "server-1", 2), /^out of traffic until it answers: no member on a/, false],
  [
    "has a fault in its labels",
    slotState("server-1", { slot: { id: "server-1", role: "server", faults: ["unknown label"] } }),
    /^unknown label$/,
    true,
  ],
  [
    "answers that it is not well",
    on("a", "server-1", 0, {
      probed: notReady,
      found: running("server-1", { ports: { port: 80 }, check: { path: "/up" } }),
    }),
    /^GET \/up answered 503; wanted 200 to 399$/,
    true,
  ],
  [
    "cannot be reached",
    slotState("server-1", {
      known: false,
      found: found("server-1", { kind: "running", sinceMs: 0 }),
    }),
    /^it is on no network where it can be reached$/,
    true,
  ],
];

for (const [what, state, reason, alert] of waits) {
  test(`for a member that ${what}, ${reason ? "people are told" : "nothing is waited"}`, () => {
    const [step, ...others] = planObserved([state, beside], LIMITS, NOW_MS);
    assert.deepEqual(others, []);
    assert.deepEqual([step?.kind, step?.alert], reason ? ["wait", alert] : [undefined, undefined]);
    if (reason) assert.match(step?.reason ?? "", reason);
  });
}

/** Every combination of what a round may know of a slot. */
function* everyState(): Generator<SlotState> {
  const lives = [
    undefined,
    running("server-1"),
    running("server-1", { node: { name: "a" }, draining: true }),
    running("server-1", { stranded: true, unhealthy: true }),
    running("server-1", { succeeds: "server-1#0" }),
    exited("server-1"),
    found("server-1", { kind: "created", error: "no" }),
    found("server-1", { kind: "paused" }),
    found("server-1", { kind: "previous", running: false }),
  ];
  for (const member of lives)
    for (const [probed, missed] of [
      [undefined, 0],
      [passed, 0],
      [notReady, 0],
      [silent, 1],
      [silent, 9],
    ] as const)
      for (const intent of [undefined, askedAt(0)])
        for (const ordered of [false, true])
          yield slotState("server-1", {
            missed,
            ordered,
            ...(member && { found: member }),
            ...(probed && { probed }),
            ...(intent && { intent }),
          });
}

test("whatever a round knows of a member, an engine that is only observed is never asked to act", () => {
  const executor = new NoExecutor();
  let waited = 0;
  for (const state of everyState()) {
    for (const step of planObserved([state, beside], LIMITS, NOW_MS)) {
      assert.equal(step.kind, "wait");
      executor.act(step);
      waited += 1;
    }
  }
  assert.ok(waited > 0);
});

test("where nobody carries out steps, one that would change something is refused", () => {
  const { slot } = slotState("server-1");
  const heal: Step = { kind: "heal", slot, reason: "dead", replaces: undefined, gently: false, portMoves: 0 };
  assert.throws(() => new NoExecutor().act(heal), /nobody may heal server-1, whose engine is only observed: dead/);
});
