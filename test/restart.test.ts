// One slot's record of its heals: when it may be healed next, when it is quarantined, and when its past is forgotten.
// The walks let a slot fail again and again over an hour and hold the limits that keep a broken slot from being hammered.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FORGIVEN_AFTER_MS, healed, type RestartRecord, served, unblemished } from "../watchdog/restart.ts";
import { seeded } from "./support/seeded.ts";

const NOW = 1_000_000;
const HOUR_MS = 3_600_000;
const QUARANTINE_MS = 60_000;
const DELAY_MS_MAX = 30_000;

interface Heal {
  readonly atMs: number;
  readonly record: RestartRecord;
  readonly delayMs: number;
}

/** The heals of a slot that fails `livesMs(n)` after its n-th heal, and is healed as soon as it has failed and may be. */
function healsOf(livesMs: (n: number) => number, forMs: number, random: () => number): Heal[] {
  const heals: Heal[] = [];
  let record = unblemished;
  for (let nowMs = NOW; nowMs < NOW + forMs; ) {
    record = healed(record, nowMs, random());
    heals.push({ atMs: nowMs, record, delayMs: record.notBeforeMs - nowMs });
    const lifeMs = livesMs(heals.length);
    record = served(record, lifeMs);
    nowMs = Math.max(nowMs + lifeMs, record.notBeforeMs);
  }
  return heals;
}

const failsAtOnce = (random = () => 0) => healsOf(() => 0, 600_000, random);

test("the first heal comes at once", () => {
  assert.ok(unblemished.notBeforeMs <= NOW);
});

test("a second heal comes half a second after the first", () => {
  assert.equal(healed(unblemished, NOW, 0).notBeforeMs, NOW + 500);
});

test("the delay doubles with each heal that follows soon", () => {
  const delays = failsAtOnce()
    .filter(({ record }) => record.kind === "normal")
    .map(({ delayMs }) => delayMs);
  const ratios = delays.slice(1).map((delayMs, index) => delayMs / (delays[index] as number));
  assert.ok(
    ratios.every((ratio) => ratio > 1.5 && ratio <= 2),
    `delays of ${delays.join(", ")} ms`,
  );
});

test("jitter adds up to half of the delay and takes nothing from it", () => {
  const delayAt = (random: number) => healed(unblemished, NOW, random).notBeforeMs - NOW;
  assert.equal(delayAt(0), 500);
  assert.equal(delayAt(0.5), 625);
  assert.ok(delayAt(0.999_999) < 750);
});

test("the score halves in 200 seconds, so that a heal long ago counts for nothing", () => {
  const scoreAfter = (pauseMs: number) => {
    const record = healed(healed(unblemished, NOW, 0), NOW + pauseMs, 0);
    return record.kind === "normal" ? record.score : Number.NaN;
  };
  assert.equal(scoreAfter(0), 2);
  assert.equal(scoreAfter(200_000), 1.5);
  assert.ok(scoreAfter(HOUR_MS) - 1 < 1e-4);
});

test("a slot that fails at once each time is quarantined with its sixth heal", () => {
  const first = failsAtOnce().findIndex(({ record }) => record.kind === "quarantined");
  assert.equal(first + 1, 6);
});

test("with the most jitter it is the sixth heal, too, that quarantines", () => {
  const first = failsAtOnce(() => 0.999_999).findIndex(({ record }) => record.kind === "quarantined");
  assert.equal(first + 1, 6);
});

test("six heals at one moment quarantine, five do not", () => {
  const heals = (count: number) =>
    Array.from({ length: count }).reduce<RestartRecord>((record) => healed(record, NOW, 0), unblemished);
  assert.equal(heals(5).kind, "normal");
  assert.deepEqual(heals(6), { kind: "quarantined", sinceMs: NOW, notBeforeMs: NOW + QUARANTINE_MS });
});

test("a quarantined slot is healed once a minute, never given up, and remembers since when", () => {
  const quarantined = failsAtOnce().filter(({ record }) => record.kind === "quarantined");
  assert.ok(quarantined.length >= 8, `${quarantined.length} heals in quarantine in ten minutes`);
  assert.ok(quarantined.every(({ delayMs }) => delayMs === QUARANTINE_MS));
  assert.equal(new Set(quarantined.map(({ record }) => "sinceMs" in record && record.sinceMs)).size, 1);
});

test("a minute in traffic wipes the record clean, less does not", () => {
  const normal = healed(unblemished, NOW, 0);
  const quarantined: RestartRecord = { kind: "quarantined", sinceMs: NOW, notBeforeMs: NOW + QUARANTINE_MS };
  for (const record of [normal, quarantined]) {
    assert.deepEqual(served(record, FORGIVEN_AFTER_MS), unblemished);
    assert.deepEqual(served(record, FORGIVEN_AFTER_MS - 1), record);
  }
  assert.equal(FORGIVEN_AFTER_MS, 60_000);
});

const livesUpTo = (maxMs: number) => fc.array(fc.nat({ max: maxMs }), { minLength: 1, maxLength: 50 });
const walk = { seed: 20_261_122, numRuns: 300 };
const inTurn = (lives: readonly number[]) => (n: number) => lives[(n - 1) % lives.length] as number;

test("however it fails, a slot's delay keeps under its cap with jitter, and heals never come before their time", () => {
  const anyLife = fc.property(livesUpTo(120_000), fc.nat(), (lives, seed) => {
    const heals = healsOf(inTurn(lives), HOUR_MS, seeded(seed));
    for (const [index, { record, delayMs, atMs }] of heals.entries()) {
      const cap = record.kind === "quarantined" ? QUARANTINE_MS : DELAY_MS_MAX * 1.5;
      assert.ok(delayMs >= 500 && delayMs <= cap, `${delayMs} ms, ${record.kind}`);
      const next = heals[index + 1];
      const forgiven = inTurn(lives)(index + 1) >= FORGIVEN_AFTER_MS;
      assert.ok(next === undefined || forgiven || next.atMs >= atMs + delayMs);
    }
  });
  fc.assert(anyLife, walk);
});

test("however it fails, a slot is healed at most 400 times an hour", () => {
  const anyLife = fc.property(livesUpTo(120_000), fc.nat(), (lives, seed) => {
    assert.ok(healsOf(inTurn(lives), HOUR_MS, seeded(seed)).length <= 400);
  });
  fc.assert(anyLife, walk);
});

test("a slot that forever fails within five seconds is quarantined by its eighth heal, for good", () => {
  const shortLife = fc.property(livesUpTo(5_000), fc.nat(), (lives, seed) => {
    const kinds = healsOf(inTurn(lives), HOUR_MS, seeded(seed)).map(({ record }) => record.kind);
    assert.ok(kinds.indexOf("quarantined") + 1 >= 6 && kinds.indexOf("quarantined") + 1 <= 8, kinds.join());
    assert.ok(kinds.slice(8).every((kind) => kind === "quarantined"));
  });
  fc.assert(shortLife, walk);
});

test("a slot that forever fails before its past is forgiven is quarantined in the end", () => {
  for (const lifeMs of [10_000, 20_000, 40_000]) {
    const kinds = healsOf(() => lifeMs, HOUR_MS, seeded(lifeMs)).map(({ record }) => record.kind);
    assert.ok(kinds.includes("quarantined"), `it fails every ${lifeMs} ms: ${kinds.length} heals in an hour`);
  }
});
