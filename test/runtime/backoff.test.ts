// Back-off as four machines use it: ejections, heals, notices and respawns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "../../services/runtime/backoff.ts";

const backoff = { firstMs: 500, maxMs: 30_000 };

test("the delay begins with the first, doubles with each failure and ends at the limit", () => {
  const delays = [1, 2, 3, 6, 7, 8, 5_000].map((failures) => backoffMs(backoff, failures, 0));
  assert.deepEqual(delays, [500, 1_000, 2_000, 16_000, 30_000, 30_000, 30_000]);
});

test("jitter takes up to a quarter of the delay", () => {
  assert.equal(backoffMs(backoff, 1, 0.5), 437.5);
  assert.ok(backoffMs(backoff, 8, 0.999_999) >= 22_500);
});
