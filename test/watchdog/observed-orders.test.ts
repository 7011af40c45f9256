// Orders where Swarm starts and replaces members: refused with the line to type, but for weights.

import assert from "node:assert/strict";
import { test } from "node:test";
import { observedOrders } from "../../watchdog/api/observed-orders.ts";
import type { Controls } from "../../watchdog/api/order-routes.ts";
import { rollListSchema } from "../../watchdog/api/schema.ts";
import { serving } from "../tools/watchdog/slot-states.ts";

const taken = { ok: true } as const;
const unknown = { ok: false, status: 404, reason: "there is no slot" } as const;
const own: Controls = {
  pause: () => taken,
  resume: () => taken,
  hold: () => taken,
  release: () => taken,
  heal: () => unknown,
  weigh: () => taken,
};
const slot = { id: "app-1.x7k2p", service: "app", role: "server" } as const;
const update = { service: "app", phase: "rolling", order: "start-first", parallel: 1 } as const;
const updates = [
  {
    ...update,
    reason: "update in progress",
    slots: [
      { slot: slot.id, rolled: true },
      { slot: "app-2.b", rolled: false },
    ],
  },
];
const { controls, rolls, scales } = observedOrders({
  stack: "ek",
  controls: own,
  rolls: () => updates,
  slotStates: () => [serving("server-1", { slot })],
});

const refusals = {
  "a heal": () => controls.heal(slot.id),
  "a hold": () => controls.hold(slot.id),
  "a pause": () => controls.pause("app"),
  "a roll": () => rolls.order("app", "sample"),
  "a roll back": () => rolls.order("app", "former"),
  "a scale": () => scales.order("app", 5),
};
const lines: { readonly [Order in keyof typeof refusals]: string } = {
  "a heal": "docker service update --force ek_app",
  "a hold": "docker node update",
  "a pause": "docker node update",
  "a roll": "docker service update --force ek_app, with --image for another one",
  "a roll back": "docker service rollback ek_app",
  "a scale": "docker service scale ek_app=5",
};

for (const [order, give] of Object.entries(refusals)) {
  test(`${order} is refused with the line to type`, async () => {
    const answer = await give();
    assert.ok(!answer.ok && answer.status === 409, JSON.stringify(answer));
    assert.ok(answer.reason.endsWith(lines[order as keyof typeof lines]), answer.reason);
    assert.equal(answer.reason.includes("\n"), false);
  });
}

test("a weight is ours, whatever is released or resumed is none, and a slot that is not there is answered as ever", () => {
  assert.deepEqual(controls.weigh(slot.id, 3), taken);
  assert.deepEqual([controls.release(slot.id), controls.resume("app")], [taken, taken]);
  assert.deepEqual(controls.heal("nobody"), unknown);
  assert.deepEqual(scales.rows(), []);
});

test("an update that Swarm carries out is shown as a roll, with what is new and what has yet to serve", () => {
  const [row, ...others] = rolls.rows();
  assert.deepEqual(others, []);
  assert.deepEqual(rollListSchema.parse({ rolls: [row] }).rolls, [
    {
      ...{ ...update, to: "sample", orderReason: null, sample: slot.id, reason: "update in progress", paused: false },
      ...{ rolled: 1, of: 2 },
      slots: [
        { slot: slot.id, rolled: true, busy: false },
        { slot: "app-2.b", rolled: false, busy: true },
      ],
    },
  ]);
});
