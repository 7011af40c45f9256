// A tier's opinion of one member: what each witness makes of each state, how long an ejection lasts, and, in a random walk,
// that no order of events ejects for longer than a minute or lets a member back without a probe and one request.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  FAILURES_MAX,
  type Health,
  healthy,
  type Outcome,
  observe,
  probeDue,
} from "../../services/tier/cluster/health.ts";

const NOW = 1_000_000;
const answered: Outcome = { kind: "answered" };
const probed: Outcome = { kind: "probed" };
const claimed: Outcome = { kind: "claimed" };
const released: Outcome = { kind: "released" };
const unreachable: Outcome = { kind: "unreachable", reason: "ECONNREFUSED" };
const failed: Outcome = { kind: "failed", reason: "status 500" };

const back: Health = { kind: "up", failures: 0, ejections: 3 };
const shaky: Health = { kind: "up", failures: FAILURES_MAX - 1, ejections: 0 };
const ejected: Health = { kind: "ejected", ejections: 1, untilMs: NOW + 1_000, reason: "ECONNREFUSED" };
const halfOpen: Health = { kind: "half-open", ejections: 1, sinceMs: NOW + 1_000, claimed: false };
const tried: Health = { ...halfOpen, claimed: true };

test("a member that nobody has said anything about is up", () => {
  assert.deepEqual(healthy, { kind: "up", failures: 0, ejections: 0 });
});

test("one failed connection ejects for a second, and says why", () => {
  assert.deepEqual(observe(healthy, unreachable, { nowMs: NOW, random: 0 }), {
    health: { kind: "ejected", ejections: 1, untilMs: NOW + 1_000, reason: "ECONNREFUSED" },
    flip: { was: "up", now: "ejected", reason: "ECONNREFUSED" },
  });
});

test("five failures in a row eject, and an answer between them begins the count anew", () => {
  const after = (...outcomes: Outcome[]) =>
    outcomes.reduce((health, each) => observe(health, each, { nowMs: NOW, random: 0 }).health, healthy);
  const four = [failed, failed, failed, failed];
  assert.deepEqual(after(...four), shaky);
  assert.deepEqual(after(...four, answered, ...four), shaky);
  assert.equal(after(...four, failed).kind, "ejected");
  assert.deepEqual(observe(shaky, failed, { nowMs: NOW, random: 0 }).flip, {
    was: "up",
    now: "ejected",
    reason: "5 failures in a row, the last: status 500",
  });
});

const unmoved: readonly [string, Health, Outcome, number][] = [
  ["an answer from a member that is up", healthy, answered, NOW],
  ["a passed probe of a member that is up", back, probed, NOW],
  ["an attempt that says nothing about the member", shaky, released, NOW],
  ["an answer from an ejected member, which may have been asked before it failed", ejected, answered, NOW + 999_999],
  ["a 5xx from an ejected member", ejected, failed, NOW + 999_999],
  ["a passed probe before the back-off is over", ejected, probed, NOW + 999],
  ["another failed connection before the back-off is over", ejected, unreachable, NOW + 999],
  ["another passed probe of a half-open member", tried, probed, NOW],
];

for (const [what, health, outcome, now] of unmoved) {
  // The very same object: the request path takes it as "nothing to do".
  test(`${what} changes nothing`, () => {
    const opinion = observe(health, outcome, { nowMs: now, random: 0.5 });
    assert.equal(opinion.health, health);
    assert.equal(opinion.flip, undefined);
  });
}

const moves: readonly [string, Health, Outcome, Health][] = [
  ["an ejected member whose probe passes once its back-off is over is half-open", ejected, probed, halfOpen],
  ["the request to a half-open member claims it, so that there is but one", halfOpen, claimed, tried],
  ["a half-open member whose request said nothing is free again", tried, released, halfOpen],
  ["a half-open member that answers is up, with its past", tried, answered, { kind: "up", failures: 0, ejections: 1 }],
  ["an answer makes a member's past forgotten", back, answered, healthy],
];

for (const [fact, was, outcome, now] of moves) {
  test(fact, () => {
    const { health, flip } = observe(was, outcome, { nowMs: NOW + 1_000, random: 0 });
    assert.deepEqual(health, now);
    assert.deepEqual([flip?.was, flip?.now], was.kind === now.kind ? [undefined, undefined] : [was.kind, now.kind]);
  });
}

for (const [what, outcome] of [
  ["refused", unreachable],
  ["answered with a 5xx", failed],
] as const) {
  test(`a half-open member that is ${what} is ejected for twice as long as before`, () => {
    const { health, flip } = observe(tried, outcome, { nowMs: NOW, random: 0 });
    assert.ok(health.kind === "ejected");
    assert.deepEqual([health.ejections, health.untilMs], [2, NOW + 2_000]);
    assert.deepEqual([flip?.was, flip?.now], ["half-open", "ejected"]);
  });
}

test("a probe that fails once the back-off is over doubles it, without another line", () => {
  assert.deepEqual(observe(ejected, unreachable, { nowMs: NOW + 1_000, random: 0 }), {
    health: { kind: "ejected", ejections: 2, untilMs: NOW + 3_000, reason: "ECONNREFUSED" },
  });
});

test("a member that fails again before it has answered anything stays away longer than before", () => {
  const { health } = observe(back, unreachable, { nowMs: NOW, random: 0 });
  assert.ok(health.kind === "ejected");
  assert.deepEqual([health.ejections, health.untilMs], [4, NOW + 8_000]);
});

test("the back-off is 1 s, doubles to 60 s, and stays there", () => {
  const seconds: number[] = [];
  let health: Health = healthy;
  for (let now = NOW; seconds.length < 9; now = health.untilMs) {
    health = observe(health, unreachable, { nowMs: now, random: 0 }).health;
    assert.ok(health.kind === "ejected");
    seconds.push((health.untilMs - now) / 1000);
  }
  assert.deepEqual(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
});

test("a member that has failed a million times in a row is still asked every minute", () => {
  const { health } = observe({ kind: "up", failures: 0, ejections: 1_000_000 }, unreachable, { nowMs: NOW, random: 0 });
  assert.ok(health.kind === "ejected");
  assert.equal(health.untilMs, NOW + 60_000);
});

test("jitter takes up to a quarter off the back-off, so that tiers do not come back in step", () => {
  const until = (random: number) => {
    const { health } = observe(healthy, unreachable, { nowMs: 0, random: random });
    return health.kind === "ejected" ? health.untilMs : 0;
  };
  assert.deepEqual([until(0), until(0.5), until(1)], [1_000, 875, 750]);
});

test("only an ejected member is due for a probe, and only once its back-off is over", () => {
  assert.deepEqual(
    [healthy, halfOpen].map((health) => probeDue(health, NOW + 9_999)),
    [false, false],
  );
  assert.deepEqual([probeDue(ejected, NOW + 999), probeDue(ejected, NOW + 1_000)], [false, true]);
});

const event = fc.record({
  afterMs: fc.oneof(fc.nat(3_000), fc.nat(120_000)),
  outcome: fc.constantFrom(answered, probed, claimed, released, unreachable, failed, failed, failed),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

const LEGAL = new Set(["up>ejected", "ejected>half-open", "half-open>up", "half-open>ejected"]);

test("in any walk: ejected only by failures, for 75 to 100 % of the back-off, up again only over a probe and one request", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      let health: Health = healthy;
      let now = NOW;
      for (const { afterMs, outcome, random } of events) {
        now += afterMs;
        const before = health;
        const { health: after, flip } = observe(before, outcome, { nowMs: now, random: random });
        if (before.kind === after.kind) assert.equal(flip, undefined);
        else {
          assert.ok(LEGAL.has(`${before.kind}>${after.kind}`), `${before.kind} becomes ${after.kind}`);
          assert.deepEqual([flip?.was, flip?.now], [before.kind, after.kind]);
        }
        if (before.kind === "ejected" && after.kind === "half-open") {
          assert.ok(outcome.kind === "probed" && now >= before.untilMs);
        }
        if (before.kind === "half-open" && after.kind === "up") assert.equal(outcome.kind, "answered");
        if (after.kind === "ejected" && after !== before) assertBackOff(after, before, now);
        health = after;
      }
    }),
    { numRuns: 500 },
  );
});

function assertBackOff(after: Health & { kind: "ejected" }, before: Health, now: number): void {
  assert.equal(after.ejections, before.ejections + 1);
  const backOff = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000][before.ejections] ?? 60_000;
  const length = after.untilMs - now;
  assert.ok(length <= backOff && length >= 0.75 * backOff, `${length} ms of ${backOff}`);
}
