// What people, scripts and Prometheus see of a round: one row a slot, and the targets of service discovery.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SlotRow } from "../../watchdog/api/schema.ts";
import { lifeShown, nextShown, rowsOf, targetsOf, tookMs } from "../../watchdog/api/view.ts";
import type { Step } from "../../watchdog/rules/plan.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { exited, found, running, serving, slotOf, slotState, stopped } from "../tools/watchdog/slot-states.ts";
import { member, registry, state } from "../tools/watchdog/state.ts";

test("a row holds all that is known of a serving member", () => {
  const rows = rowsOf(state([member("server-4", { group: "2", generation: 3 })], [serving("server-4")]));
  assert.deepEqual(rows, [
    {
      slot: "server-4",
      role: "server",
      group: "2",
      life: "running",
      state: "serving",
      address: "10.0.0.1:9001",
      generation: 3,
      instance: "server-4#1",
      pid: null,
      held: false,
      paused: false,
      weight: 1,
      missed: 0,
      restarts: { kind: "normal" },
      step: null,
    },
  ]);
});

test("a member that waits for its own health check says so in its row", () => {
  const gated = slotState("server-4", { found: running("server-4"), gated: true });
  assert.equal(rowsOf(state([], [gated]))[0]?.step, "wait: its own health check has yet to pass");
});

test("a slot that was never filled has a row of its own", () => {
  const [row] = rowsOf(state([], [slotState("balancer")]));
  assert.deepEqual(row, {
    slot: "balancer",
    role: "balancer",
    group: null,
    life: "absent",
    state: "out of the registry",
    address: null,
    generation: null,
    instance: null,
    pid: null,
    held: false,
    paused: false,
    weight: null,
    missed: 0,
    restarts: { kind: "normal" },
    step: null,
  });
});

test("a row says that its slot is held or quarantined, how many probes were missed, and which process it is", () => {
  const restart = { kind: "quarantined", sinceMs: 0, notBeforeMs: 60_000 } as const;
  const found = running("server-1", { instance: "server-1#7", pid: 4711 });
  const [row] = rowsOf(state([], [serving("server-1", { found, restart, missed: 2, held: { sinceMs: 5 } })]));
  const { held, missed, restarts, instance, pid } = row as SlotRow;
  assert.deepEqual(
    { held, missed, restarts, instance, pid },
    {
      held: true,
      missed: 2,
      restarts: { kind: "quarantined", until: "1970-01-01T00:01:00.000Z" },
      instance: "server-1#7",
      pid: 4711,
    },
  );
});

test("a row says on which machine its member is, where there are several", () => {
  const found = running("server-1", { node: { name: "beta" } });
  const rows = rowsOf(state([], [serving("server-1", { found, missed: 1 }), serving("server-2")]));
  assert.deepEqual(
    rows.map((row) => [row.node, lifeShown(row)]),
    [
      ["beta", "running, on beta, 1 missed"],
      [undefined, "running"],
    ],
  );
});

test("people read a row's life with all that is not as usual, and what comes next", () => {
  const restart = { kind: "quarantined", sinceMs: 0, notBeforeMs: 60_000 } as const;
  const wait: Step = { kind: "wait", slot: slotOf("server-2"), reason: "quarantined", untilMs: 60_000, alert: false };
  const rows = rowsOf(
    state(
      [],
      [
        serving("server-1", { held: { sinceMs: 5 } }),
        slotState("server-2", { found: exited("server-2"), restart }),
        serving("server-3", { missed: 1, weight: 0 }),
        serving("proxy-1"),
        serving("proxy-2", { held: { sinceMs: 5, paused: true } }),
      ],
      [wait],
    ),
  );
  assert.deepEqual(
    rows.map((row) => [lifeShown(row), nextShown(row)]),
    [
      ["running, held", "none until it is released"],
      ["exited, quarantined", "wait: quarantined, until 00:01:00 UTC"],
      ["running, weight 0, 1 missed", ""],
      ["running", ""],
      ["running, service paused", "none until its service is resumed"],
    ],
  );
});

test("an incident took from its detection to traffic or to its failure, and nothing yet while it is under way", () => {
  assert.equal(tookMs({ detectedMs: 100, decidedMs: 101, inTrafficMs: 612 }), 512);
  assert.equal(tookMs({ detectedMs: 100, decidedMs: 101, failedMs: 130 }), 30);
  assert.equal(tookMs({ detectedMs: 100, decidedMs: 101, createdMs: 110 }), undefined);
});

test("rows stand in the order of the slots, clients among them", () => {
  const rows = rowsOf(
    state(
      [],
      ["client", "server-2", "server-1"].map((id) => slotState(id)),
    ),
  );
  assert.deepEqual(
    rows.map(({ slot }) => slot),
    ["client", "server-2", "server-1"],
  );
});

test("a row says what the watchdog is about to do and why", () => {
  const slot = slotOf("server-1");
  const wait: Step = { kind: "wait", slot, reason: "backing off: it exited with code 1", untilMs: 7, alert: false };
  const [row, other] = rowsOf(state([], [slotState("server-1"), slotState("server-2")], [wait]));
  assert.equal(row?.step, "wait: backing off: it exited with code 1");
  assert.equal(other?.step, null);
});

const lives: readonly [string, SlotState, string][] = [
  ["a running member is running", serving("server-1"), "running"],
  ["a dead member is exited", slotState("server-1", { found: exited("server-1") }), "exited"],
  ["a paused member is paused", slotState("server-1", { found: found("server-1", { kind: "paused" }) }), "paused"],
  [
    "a member never started is created",
    slotState("server-1", { found: found("server-1", { kind: "created" }) }),
    "created",
  ],
  [
    "a slot is healing while its heal is under way",
    slotState("server-1", { found: exited("server-1"), healing: true }),
    "healing",
  ],
  [
    "a member that was stopped is stopped on purpose",
    slotState("server-1", { found: exited("server-1"), intent: stopped }),
    "stopped on purpose",
  ],
  [
    "a member that was stopped and removed is stopped on purpose",
    slotState("server-1", { intent: stopped }),
    "stopped on purpose",
  ],
  ["a member that runs again after a stop is running", serving("server-1", { intent: stopped }), "running"],
];

for (const [fact, observed, life] of lives) {
  test(`in its row, ${fact}`, () => {
    assert.equal(rowsOf(state([], [observed]))[0]?.life, life);
  });
}

test("a target is an admin port with the member, its role and its group as labels", () => {
  const targets = targetsOf(registry(member("server-4", { group: "2" }), member("balancer")));
  assert.deepEqual(targets, [
    {
      targets: ["10.0.0.1:9101"],
      labels: { member: "server-4", role: "server", group: "2", instance: "server-4" },
    },
    { targets: ["10.0.0.1:9101"], labels: { member: "balancer", role: "balancer", instance: "balancer" } },
  ]);
});

test("an IPv6 address stands in brackets, in a target and in a row", () => {
  const here = member("server-1", { host: "fd00::7" });
  assert.deepEqual(targetsOf(registry(here))[0]?.targets, ["[fd00::7]:9101"]);
  assert.equal(rowsOf(state([here], [serving("server-1")]))[0]?.address, "[fd00::7]:9001");
});

test("a member without an admin port is no target", () => {
  const { adminPort: _, ...foreign } = member("server-2");
  assert.deepEqual(targetsOf(registry(foreign)), []);
});

test("members are targets in every state: one that is down is not up, and not unknown", () => {
  const all = (["starting", "draining", "down"] as const).map((state, at) => member(`server-${at}`, { state }));
  assert.equal(targetsOf(registry(...all)).length, 3);
});

test("the watchdog is a target by the address by which it was asked", () => {
  const labels = { member: "watchdog", role: "watchdog", instance: "watchdog" };
  assert.deepEqual(targetsOf(registry(), "watchdog:8404"), [{ targets: ["watchdog:8404"], labels }]);
});

test("an empty registry has an empty list of targets", () => {
  assert.deepEqual(targetsOf(registry()), []);
});
