// When the requests of an open loop are due, and what becomes of the rate when the machine stands still.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pace } from "../../services/command-line/pace.ts";

test("requests are due at the rate, each once, however often it is asked", () => {
  const pace = new Pace({ perSecond: 100, startMs: 5_000 });
  assert.deepEqual(pace.takeDue(4_999), []);
  assert.deepEqual(pace.takeDue(5_000), [5_000]);
  assert.deepEqual(pace.takeDue(5_005), []);
  assert.equal(pace.nextMs, 5_010);
  assert.deepEqual(pace.takeDue(5_035), [5_010, 5_020, 5_030]);
});

test("all that a pause of the machine held up is due after it", () => {
  const pace = new Pace({ perSecond: 1_000, startMs: 0 });
  assert.equal(pace.takeDue(10_000).length, 10_001);
});

test("with a limit only the last of them are, and the rate goes on from there", () => {
  const pace = new Pace({ perSecond: 100, startMs: 0, lateMsMax: 30 });
  assert.deepEqual(pace.takeDue(0), [0]);
  assert.deepEqual(pace.takeDue(10_000), [9_970, 9_980, 9_990, 10_000]);
  assert.deepEqual(pace.takeDue(10_015), [10_010]);
});
