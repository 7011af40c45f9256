// What came in each of the last seconds, by name, and how it is drawn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bars, Recent } from "../../services/client/recent.ts";

test("counts are those of the seconds that are whole, the oldest first, and a name that was not there has none", () => {
  const recent = new Recent();
  recent.count("a", 100);
  recent.count("a", 900);
  recent.count("b", 1_500);
  assert.deepEqual(recent.of("a", 1_999), [2]);
  assert.deepEqual(recent.of("a", 3_000), [2, 0, 0]);
  assert.deepEqual(recent.of("b", 3_000), [0, 1, 0]);
  assert.deepEqual(recent.of("c", 3_000), [0, 0, 0]);
});

test("seconds older than thirty are forgotten, also where nobody asked meanwhile", () => {
  const recent = new Recent();
  recent.count("a", 500);
  for (let second = 1; second < 31; second += 1) recent.count("a", second * 1_000);
  assert.deepEqual(recent.of("a", 31_000), new Array(30).fill(1));
  assert.deepEqual(recent.of("a", 3_600_000), new Array(30).fill(0));
  recent.count("a", 3_600_500);
  assert.equal(recent.of("a", 3_601_000).at(-1), 1);
});

test("a bar is as high as its share of the most; what there was is seen, and nothing is a blank", () => {
  assert.equal(bars([0, 1, 50, 100], 100), " ▁▄█");
});
