// When a standby that leads gives the lead back.

import assert from "node:assert/strict";
import { test } from "node:test";
import { mayHandOver } from "../../watchdog/rules/hand-over.ts";
import { exited, serving, silent, slotState } from "../tools/watchdog/slot-states.ts";

test("a standby gives the lead back when another watchdog answers, and nothing is under way", () => {
  const states = [serving("server-1"), serving("watchdog")];
  assert.equal(mayHandOver(states, 0), true);
  assert.equal(mayHandOver(states, 1), false);
});

test("it keeps the lead while no other watchdog answers", () => {
  const dead = slotState("watchdog", { found: exited("watchdog") });
  for (const watchdog of [dead, serving("watchdog", { probed: silent }), slotState("watchdog")])
    assert.equal(mayHandOver([serving("server-1"), watchdog], 0), false);
  assert.equal(mayHandOver([serving("server-1")], 0), false);
});
