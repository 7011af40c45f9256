// The retry budget: a fifth of a retry earned by each request, one spent by each retry that may repeat work.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { earn, savings, spend } from "../../services/tier/forward/retry-budget.ts";

const TOKENS_MAX = savings(0);

test("a fresh tier hides all that one member can hold when it dies, and at least a hundred broken connections", () => {
  assert.deepEqual([0, 100, 101, 256].map(savings), [100, 100, 101, 256]);
});

test("when the savings are spent there is not one retry more", () => {
  let tokens = TOKENS_MAX;
  for (let retry = 0; retry < TOKENS_MAX; retry += 1) tokens = spend(tokens, "reset") as number;
  assert.equal(spend(tokens, "reset"), undefined);
});

test("a request that was never sent is repeated at no cost, also when the budget is exhausted", () => {
  assert.equal(spend(0, "refused"), 0);
  assert.equal(spend(0, "no-member-behind"), 0);
});

test("when everything fails, retries add at most a fifth to the load", () => {
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 5_000 }), (requests) => {
      let tokens = 0;
      let retries = 0;
      for (let request = 0; request < requests; request += 1) {
        tokens = earn(tokens, TOKENS_MAX);
        const left = spend(tokens, "reset");
        if (left === undefined) continue;
        tokens = left;
        retries += 1;
      }
      assert.ok(retries <= requests / 5 + 1, `${retries} of ${requests}`);
      assert.ok(retries >= requests / 5 - 2, `${retries} of ${requests}`);
    }),
  );
});

test("savings are bounded", () => {
  let tokens = TOKENS_MAX;
  for (let request = 0; request < 10_000; request += 1) tokens = earn(tokens, TOKENS_MAX);
  assert.equal(tokens, TOKENS_MAX);
});
