// What an operator may order of which slot, as things are, and what is said otherwise.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ordersOf } from "../../watchdog/api/orders.ts";
import { OperatorOrders } from "../../watchdog/observe/operator-orders.ts";
import { StateFile } from "../../watchdog/observe/state-file.ts";
import type { SlotState } from "../../watchdog/rules/slot-state.ts";
import { exited, found, serving, slotState, stopped, successor } from "../tools/watchdog/slot-states.ts";

function stage(...states: readonly SlotState[]) {
  const orders = new OperatorOrders(new StateFile("registry.json"));
  let woken = 0;
  const wake = () => {
    woken += 1;
  };
  const controls = ordersOf({ orders, slotStates: () => states, wake });
  return { orders, controls, woken: () => woken };
}

type Controls = ReturnType<typeof stage>["controls"];

const refusals: readonly [what: string, SlotState, (controls: Controls) => unknown, status: number, RegExp][] = [
  [
    "a heal of a held slot",
    serving("server-1", { held: { sinceMs: 1 } }),
    ({ heal }) => heal("server-1"),
    409,
    /is held: release it first$/,
  ],
  [
    "a heal of a slot whose service is paused",
    serving("server-1", { held: { sinceMs: 1, paused: true } }),
    ({ heal }) => heal("server-1"),
    409,
    /^server-1 is paused: resume it first$/,
  ],
  [
    "a pause of no service",
    serving("server-1"),
    ({ pause }) => pause("app"),
    404,
    /^there is no service app: there are server-1$/,
  ],
  [
    "a slot to be resumed that is one of several",
    serving("server-1", { slot: { id: "app-1", role: "server", service: "app" } }),
    ({ resume }) => resume("app-1"),
    404,
    /^there is no service app-1: there are app$/,
  ],
  [
    "a heal of a slot that is being healed",
    serving("server-1", { healing: true }),
    ({ heal }) => heal("server-1"),
    409,
    /is being healed already$/,
  ],
  [
    "a heal of a slot whose successor is on trial",
    slotState("server-1", { found: successor("server-1", { kind: "running", sinceMs: 0 }) }),
    ({ heal }) => heal("server-1"),
    409,
    /is being healed already$/,
  ],
  [
    "a heal of what is paused",
    slotState("server-1", { found: found("server-1", { kind: "paused" }) }),
    ({ heal }) => heal("server-1"),
    409,
    /is paused: unpause it first$/,
  ],
  [
    "a heal of what was stopped",
    slotState("server-1", { found: exited("server-1"), intent: stopped }),
    ({ heal }) => heal("server-1"),
    409,
    /stopped on purpose: start it instead$/,
  ],
  [
    "a weight of a proxy",
    serving("proxy-1"),
    ({ weigh }) => weigh("proxy-1", 0),
    409,
    /^proxy-1 is a proxy: its share follows from the weights of the servers behind it$/,
  ],
  [
    "a weight of the balancer",
    serving("balancer"),
    ({ weigh }) => weigh("balancer", 0),
    409,
    /^balancer is a balancer: servers alone have a weight$/,
  ],
  [
    "a weight of nobody",
    serving("server-1"),
    ({ weigh }) => weigh("server-9", 0),
    404,
    /^there is no slot server-9: there are server-1$/,
  ],
];

for (const [what, slotState, give, status, reason] of refusals) {
  test(`${what} is refused with ${status}, and nothing is ordered`, () => {
    const { orders, controls, woken } = stage(slotState);
    const answer = give(controls) as { readonly ok: boolean; readonly status: number; readonly reason: string };
    assert.deepEqual([answer.ok, answer.status, woken()], [false, status, 0]);
    assert.match(answer.reason, reason);
    const { id } = slotState.slot;
    assert.deepEqual([orders.ordersHeal(id), orders.weightOf(id)], [false, undefined]);
  });
}

test("an order that is taken wakes the loop, which sees it", () => {
  const { orders, controls, woken } = stage(serving("server-1"));
  assert.deepEqual([controls.weigh("server-1", 0), orders.weightOf("server-1")], [{ ok: true }, 0]);
  assert.deepEqual([controls.weigh("server-1", undefined), orders.weightOf("server-1")], [{ ok: true }, undefined]);
  assert.deepEqual([controls.heal("server-1"), orders.ordersHeal("server-1")], [{ ok: true }, true]);
  assert.deepEqual([controls.hold("server-1"), orders.holdOf("server-1") !== undefined], [{ ok: true }, true]);
  assert.deepEqual([controls.release("server-1"), orders.holdOf("server-1")], [{ ok: true }, undefined]);
  assert.equal(woken(), 5);
});

test("a service stays paused when its last slot is gone, and can be resumed all the same", () => {
  const states = [serving("server-1", { slot: { id: "app-1", role: "server", service: "app" } })];
  const { orders, controls } = stage(...states);
  assert.deepEqual([controls.pause("app"), orders.pauseOf("app") !== undefined], [{ ok: true }, true]);
  const { controls: later } = { controls: ordersOf({ orders, slotStates: () => [], wake: () => {} }) };
  assert.deepEqual([later.resume("app"), orders.pauseOf("app")], [{ ok: true }, undefined]);
  assert.equal(later.resume("app").ok, false);
});
