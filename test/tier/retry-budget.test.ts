// The retry budget: a fifth of a retry earned by each request, one spent by each retry that may repeat work.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RetryBudget } from "../../services/tier/forward/retry-budget.ts";

const TOKENS_MAX = new RetryBudget().tokens;

function exhausted(): RetryBudget {
  const budget = new RetryBudget();
  while (budget.affords("reset")) budget.spend("reset");
  return budget;
}

test("a fresh tier hides all that one member can hold when it dies, and at least a hundred broken connections", () => {
  const held = [0, 100, 101, 256].map((requests) => {
    const budget = new RetryBudget();
    budget.cover(requests);
    return budget.tokens;
  });
  assert.deepEqual(held, [100, 100, 101, 256]);
});

test("it grows with the largest member that there has been, and one that comes back brings nothing", () => {
  const budget = exhausted();
  const tokens = [300, 200, 300, 301].map((requests) => {
    budget.cover(requests);
    return budget.tokens;
  });
  assert.deepEqual(tokens, [200, 200, 200, 201]);
});

test("when the budget is spent there is not one retry more", () => {
  const budget = new RetryBudget();
  for (let retry = 0; retry < TOKENS_MAX; retry += 1) {
    assert.ok(budget.affords("reset"));
    budget.spend("reset");
  }
  assert.equal(budget.affords("reset"), false);
});

test("a request that was never sent is repeated at no cost, also when the budget is exhausted", () => {
  const budget = exhausted();
  for (const failure of ["refused", "no-member-behind"] as const) {
    assert.ok(budget.affords(failure));
    budget.spend(failure);
  }
  assert.equal(budget.tokens, 0);
});

test("when everything fails, retries add at most a fifth to the load", () => {
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 5_000 }), (requests) => {
      const budget = exhausted();
      let retries = 0;
      for (let request = 0; request < requests; request += 1) {
        budget.earn();
        if (!budget.affords("reset")) continue;
        budget.spend("reset");
        retries += 1;
      }
      assert.ok(retries <= requests / 5 + 1, `${retries} of ${requests}`);
      assert.ok(retries >= requests / 5 - 2, `${retries} of ${requests}`);
    }),
  );
});

test("the budget is bounded", () => {
  const budget = new RetryBudget();
  for (let request = 0; request < 10_000; request += 1) budget.earn();
  assert.equal(budget.tokens, TOKENS_MAX);
});
