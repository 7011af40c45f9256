// One slot's record of its heals: when it may be healed next, when it is quarantined, and when its past is forgotten.
// The walks let a slot fail again and again over an hour and hold the limits that keep a broken slot from being hammered.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { seeded } from "../../watchdog/chaos/seeded.ts";
import {
  FORGIVEN_AFTER_MS,
  healed,
  QUARANTINE_MS,
  type RestartRecord,
  recalled,
  served,
  unblemished,
} from "../../watchdog/rules/restart-policy.ts";

const NOW = 1_000_000;
const HOUR_MS = 3_600_000;
const DELAY_MS_MAX = 30_000;

interface Heal {
  readonly atMs: number;
  readonly record: RestartRecord;
  readonly delayMs: number;
}

/** A heal of a member that never was in traffic, without jitter. */
const at = (nowMs: number, record: RestartRecord) => healed(record, { nowMs, servedMs: 0, random: 0 });

interface Life {
  /** Of the n-th member, from its heal to its failure. */
  readonly livesMs: (n: number) => number;
  /** How much of that it is in traffic, from 0 to 1. */
  readonly inTraffic: number;
}

/** The heals of a slot that is healed as soon as its member has failed and it may be. */
function healsOf({ livesMs, inTraffic }: Life, forMs: number, random: () => number): Heal[] {
  const heals: Heal[] = [];
  let record = unblemished;
  let servedMs = 0;
  for (let nowMs = NOW; nowMs < NOW + forMs; ) {
    record = healed(record, { nowMs, servedMs, random: random() });
    heals.push({ atMs: nowMs, record, delayMs: record.notBeforeMs - nowMs });
    const lifeMs = livesMs(heals.length);
    servedMs = lifeMs * inTraffic;
    record = served(record, servedMs);
    nowMs = Math.max(nowMs + lifeMs, record.notBeforeMs);
  }
  return heals;
}

/** As it fails, it never comes to serve. */
const idle = (livesMs: Life["livesMs"]): Life => ({ livesMs, inTraffic: 0 });
const failsAtOnce = (random = () => 0) =>
  healsOf(
    idle(() => 0),
    600_000,
    random,
  );

test("the first heal comes at once", () => {
  assert.ok(unblemished.notBeforeMs <= NOW);
});

test("a second heal comes half a second after the first", () => {
  assert.equal(at(NOW, unblemished).notBeforeMs, NOW + 500);
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

test("jitter takes up to a quarter of the delay and adds nothing to it", () => {
  const delayAt = (random: number) => healed(unblemished, { nowMs: NOW, servedMs: 0, random }).notBeforeMs - NOW;
  assert.equal(delayAt(0), 500);
  assert.equal(delayAt(0.5), 437);
  assert.ok(delayAt(0.999_999) >= 375);
});

test("the score halves in 200 seconds, so that a heal long ago counts for nothing", () => {
  const scoreAfter = (pauseMs: number) => {
    const record = at(NOW + pauseMs, at(NOW, unblemished));
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
    Array.from({ length: count }).reduce<RestartRecord>((record) => at(NOW, record), unblemished);
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
  const normal = at(NOW, unblemished);
  const quarantined: RestartRecord = { kind: "quarantined", sinceMs: NOW, notBeforeMs: NOW + QUARANTINE_MS };
  for (const record of [normal, quarantined]) {
    assert.deepEqual(served(record, FORGIVEN_AFTER_MS), unblemished);
    assert.deepEqual(served(record, FORGIVEN_AFTER_MS - 1), record);
  }
  assert.deepEqual([FORGIVEN_AFTER_MS, QUARANTINE_MS], [60_000, 60_000]);
});

const livesUpTo = (maxMs: number) => fc.array(fc.nat({ max: maxMs }), { minLength: 1, maxLength: 50 });
const walk = { seed: 20_261_122, numRuns: 300 };
const anyShare = fc.double({ min: 0, max: 1, noNaN: true });
const inTurn = (lives: readonly number[]) => (n: number) => lives[(n - 1) % lives.length] as number;

test("however it fails, a slot's delay keeps under its cap with jitter, and heals never come before their time", () => {
  const anyLife = fc.property(livesUpTo(120_000), anyShare, fc.nat(), (lives, inTraffic, seed) => {
    const heals = healsOf({ livesMs: inTurn(lives), inTraffic }, HOUR_MS, seeded(seed));
    for (const [index, { record, delayMs, atMs }] of heals.entries()) {
      const cap = record.kind === "quarantined" ? QUARANTINE_MS : DELAY_MS_MAX;
      assert.ok(delayMs >= 375 && delayMs <= cap, `${delayMs} ms, ${record.kind}`);
      const next = heals[index + 1];
      const forgiven = inTurn(lives)(index + 1) * inTraffic >= FORGIVEN_AFTER_MS;
      assert.ok(next === undefined || forgiven || next.atMs >= atMs + delayMs);
    }
  });
  fc.assert(anyLife, walk);
});

test("a slot that never serves is healed at most 400 times an hour", () => {
  const anyLife = fc.property(livesUpTo(120_000), fc.nat(), (lives, seed) => {
    assert.ok(healsOf(idle(inTurn(lives)), HOUR_MS, seeded(seed)).length <= 400);
  });
  fc.assert(anyLife, walk);
});

test("a slot that forever fails within five seconds and never serves is quarantined by its eighth heal, for good", () => {
  const shortLife = fc.property(livesUpTo(5_000), fc.nat(), (lives, seed) => {
    const kinds = healsOf(idle(inTurn(lives)), HOUR_MS, seeded(seed)).map(({ record }) => record.kind);
    assert.ok(kinds.indexOf("quarantined") + 1 >= 6 && kinds.indexOf("quarantined") + 1 <= 8, kinds.join());
    assert.ok(kinds.slice(8).every((kind) => kind === "quarantined"));
  });
  fc.assert(shortLife, walk);
});

test("a slot that never serves is quarantined in the end, at whatever pace it fails", () => {
  for (const lifeMs of [10_000, 20_000, 40_000]) {
    const kinds = healsOf(
      idle(() => lifeMs),
      HOUR_MS,
      seeded(lifeMs),
    ).map(({ record }) => record.kind);
    assert.ok(kinds.includes("quarantined"), `it fails every ${lifeMs} ms: ${kinds.length} heals in an hour`);
  }
});

test("a slot that serves for a while between its failures is healed at once each time", () => {
  const heals = healsOf({ livesMs: () => 12_000, inTraffic: 1 }, HOUR_MS, seeded(12));
  assert.equal(heals.length, HOUR_MS / 12_000);
  assert.ok(heals.every(({ record, delayMs }) => record.kind === "normal" && delayMs < 12_000));
});

test("a slot that serves for two seconds at a time is quarantined all the same", () => {
  const kinds = healsOf({ livesMs: () => 2_000, inTraffic: 1 }, HOUR_MS, seeded(2)).map(({ record }) => record.kind);
  assert.ok(kinds.indexOf("quarantined") >= 5, kinds.slice(0, 20).join());
});

test("a record of a clock that has been set back since waits no longer than a quarantine", () => {
  const normal: RestartRecord = { kind: "normal", score: 3, atMs: NOW + HOUR_MS, notBeforeMs: NOW + HOUR_MS };
  const quarantined: RestartRecord = { kind: "quarantined", sinceMs: NOW + HOUR_MS, notBeforeMs: NOW + HOUR_MS };
  assert.deepEqual(recalled(normal, NOW), { ...normal, atMs: NOW, notBeforeMs: NOW + QUARANTINE_MS });
  assert.deepEqual(recalled(quarantined, NOW), { ...quarantined, notBeforeMs: NOW + QUARANTINE_MS });
  assert.deepEqual(recalled({ ...normal, atMs: NOW - 5, notBeforeMs: NOW - 1 }, NOW), {
    ...normal,
    atMs: NOW - 5,
    notBeforeMs: NOW - 1,
  });
});
