// What is known of a member from its probes: a table of probes, and what a new run, a death or a heal makes of what was known.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProbeResult } from "../../services/runtime/probe.ts";
import {
  afterDeath,
  afterHeal,
  afterLook,
  afterProbe,
  afterRound,
  counted,
  type Liveness,
  suspect,
  unprobed,
} from "../../watchdog/observe/liveness.ts";
import { exited, found, notReady, passed, silent } from "../tools/watchdog/slot-states.ts";

const NOW = 100_000;
const run = (sinceMs: number) => found("server-1", { kind: "running", sinceMs });
const seen = afterLook(unprobed, run(1), 1_000);

const sick: Liveness = { ...seen, missed: 2, missedSinceMs: 5_000, servedMs: 7, suspected: true };
const sound: Liveness = { ...seen, missed: 0, servingSinceMs: 90_000, servedMs: 8_000, suspected: false };

const table: readonly [string, Liveness, ProbeResult | undefined, Omit<Liveness, "seen">][] = [
  [
    "passed after misses",
    sick,
    passed,
    { passed: true, missed: 0, servingSinceMs: NOW, servedMs: 0, suspected: false },
  ],
  [
    "passed again",
    sound,
    passed,
    { passed: true, missed: 0, servingSinceMs: 90_000, servedMs: 10_000, suspected: false },
  ],
  ["refused", { ...sound, suspected: true }, notReady, { missed: 0, servedMs: 8_000, suspected: false }],
  ["silent", sound, silent, { missed: 1, missedSinceMs: NOW, servedMs: 8_000, suspected: false }],
  ["silent again", sick, silent, { missed: 3, missedSinceMs: 5_000, servedMs: 7, suspected: true }],
  ["none", sick, undefined, { missed: 0, servedMs: 7, suspected: true }],
];

for (const [what, before, result, wanted] of table) {
  test(`a probe: ${what}`, () => {
    const { seen: run, probed, ...after } = counted(before, result, NOW);
    assert.deepEqual([run, probed, after], [before.seen, result, wanted]);
  });
}

test("two refusals within the same moment are one miss", () => {
  const heard = { result: silent, connection: "new" } as const;
  const first = afterProbe(sound, heard, NOW);
  assert.equal(afterProbe(first, heard, NOW + 100), first);
  assert.equal(afterProbe(first, heard, NOW + 500).missed, 2);
});

test("a suspicion is answered on a new connection alone", () => {
  const after = (connection: "new" | "kept") => afterProbe(sick, { result: passed, connection }, NOW).suspected;
  assert.deepEqual([after("kept"), after("new")], [true, false]);
});

test("a new run knows how long the last one served, and nothing else of it", () => {
  const next = afterLook(counted(sick, silent, NOW), run(2), NOW);
  assert.deepEqual(next, {
    seen: { run: "server-1#1 2", instance: "server-1#1", sinceMs: NOW },
    missed: 0,
    servedMs: 7,
    suspected: false,
  });
});

test("a run that is known, or has ended, is no new one", () => {
  assert.equal(afterLook(sick, run(1), NOW), sick);
  assert.equal(afterLook(sick, exited("server-1"), NOW), sick);
});

test("trouble begins with its first sign and ends with an answer", () => {
  const died = afterDeath(sound, "server-1#1", NOW);
  assert.equal(afterDeath(sound, "server-1#2", NOW), sound);
  assert.equal(died.troubleSinceMs, NOW);
  assert.equal(afterRound(afterDeath(died, "server-1#1", NOW + 1), NOW + 2).troubleSinceMs, NOW);
  assert.equal(afterHeal(died).troubleSinceMs, NOW);
  assert.equal(afterRound(counted(died, notReady, NOW), NOW).troubleSinceMs, undefined);
  assert.equal(afterRound(unprobed, NOW).troubleSinceMs, undefined);
});

test("a heal leaves what was seen, and forgets the probes", () => {
  assert.deepEqual(afterHeal(counted(suspect(sick), silent, NOW)), { ...unprobed, seen: sick.seen });
});
