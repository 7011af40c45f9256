// What the plan makes of each thing that can be observed of a slot: heal, wait or nothing, and with which reason.
// The walk at the end lets it bring a whole world back after random faults; test/support/plan-world.ts is that world.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ASKED_MS } from "../watchdog/intent.ts";
import { type Limits, plan, type Situation, type Step } from "../watchdog/plan.ts";
import { unblemished } from "../watchdog/restart.ts";
import { faults, ROUND_MS, World } from "./support/plan-world.ts";
import { seeded } from "./support/seeded.ts";
import {
  askedAt,
  exited,
  found,
  notReady,
  passed,
  running,
  serving,
  silent,
  situation,
  stopped,
} from "./support/situations.ts";

const NOW = 1_000_000;
const limits: Limits = { missedMax: 3, startTimeoutMs: 30_000 };

const steps = (...situations: readonly Situation[]) => plan(situations, limits, NOW);
/** Compact: "heal server-1", "wait server-1 until 1000500". */
const brief = (planned: readonly Step[]) =>
  planned.map(({ kind, slot, ...step }) => `${kind} ${slot.id}${"untilMs" in step ? ` until ${step.untilMs}` : ""}`);

const dead: readonly [string, Situation, string][] = [
  ["a crash", situation("server-1", { found: exited("server-1", { code: 1 }) }), "it exited with code 1"],
  ["a clean exit", situation("server-1", { found: exited("server-1", { code: 0 }) }), "it exited with code 0"],
  [
    "a docker kill",
    situation("server-1", { found: exited("server-1", { code: 137 }) }),
    "it exited with code 137 (signal 9)",
  ],
  [
    "a killed process",
    situation("server-1", { found: exited("server-1", { code: undefined, signal: "SIGKILL" }) }),
    "it was killed by SIGKILL",
  ],
  [
    "an out-of-memory kill",
    situation("server-1", { found: exited("server-1", { code: 137, oom: true }) }),
    "it was killed for lack of memory",
  ],
  [
    "an exit nobody knows the code of",
    situation("server-1", { found: exited("server-1", { code: undefined }) }),
    "it exited with code unknown",
  ],
  [
    "a start that failed",
    situation("server-1", { found: found("server-1", { kind: "created", error: "no such file" }) }),
    "it did not start: no such file",
  ],
];

for (const [what, observed, reason] of dead) {
  test(`${what} is healed at once, says why and what it replaces`, () => {
    assert.deepEqual(steps(observed), [{ kind: "heal", slot: observed.slot, reason, replaces: "server-1#1" }]);
  });
}

test("an empty slot is healed at once and replaces nothing", () => {
  const empty = situation("server-1");
  const reason = "nothing fills the slot";
  assert.deepEqual(steps(empty), [{ kind: "heal", slot: empty.slot, reason, replaces: undefined }]);
});

const left: readonly [string, Situation][] = [
  ["a member that serves", serving("server-1")],
  ["a member that exited on purpose", situation("server-1", { found: exited("server-1"), wish: stopped })],
  ["a slot that was stopped on purpose and then removed", situation("server-1", { wish: stopped })],
  ["a paused member", situation("server-1", { found: found("server-1", { kind: "paused" }) })],
  [
    "a member somebody has created and not started",
    situation("server-1", { found: found("server-1", { kind: "created" }) }),
  ],
  [
    "a stopped member's replacement that was only created",
    situation("server-1", { found: found("server-1", { kind: "created", error: "x" }), wish: stopped }),
  ],
  ["a member that answers and is not ready", serving("proxy-1", { probed: notReady })],
  ["a member that misses fewer probes than the limit", serving("server-1", { probed: silent, missed: 2 })],
  ["a slot whose heal is under way", situation("server-1", { found: exited("server-1"), healing: true })],
  ["an empty slot whose heal is under way", situation("server-1", { healing: true })],
];

for (const [what, observed] of left) {
  test(`${what} needs no step`, () => {
    assert.deepEqual(steps(observed), []);
  });
}

test("a member that was asked to stop and exited waits for the word that it was on purpose", () => {
  const asked = (agoMs: number) => situation("server-1", { found: exited("server-1"), wish: askedAt(NOW - agoMs) });
  assert.deepEqual(brief(steps(asked(0))), [`wait server-1 until ${NOW + ASKED_MS}`]);
  assert.deepEqual(brief(steps(asked(ASKED_MS - 1))), [`wait server-1 until ${NOW + 1}`]);
  assert.deepEqual(brief(steps(asked(ASKED_MS))), ["heal server-1"]);
});

test("a member that was asked to stop and runs on is left alone", () => {
  assert.deepEqual(steps(serving("server-1", { wish: askedAt(NOW) })), []);
});

test("a member that runs although it was once stopped is watched like any other", () => {
  assert.deepEqual(steps(serving("server-1", { wish: stopped })), []);
  assert.deepEqual(brief(steps(serving("server-1", { wish: stopped, probed: silent, missed: 3 }))), ["heal server-1"]);
});

test("a member that misses as many probes as the limit is replaced", () => {
  const [step] = steps(serving("server-1", { probed: silent, missed: 3 }));
  assert.equal(step?.kind, "heal");
  assert.equal(step?.reason, "3 probes in a row went unanswered (ECONNREFUSED)");
});

test("a member whose own health check fails is replaced when another one serves", () => {
  const unhealthy = serving("server-1", { found: running("server-1", { unhealthy: true }) });
  assert.deepEqual(brief(steps(unhealthy, serving("server-2"))), ["heal server-1"]);
});

test("a member that never says where it listens is replaced after the start limit", () => {
  const mute = (sinceMs: number) =>
    situation("server-1", { found: found("server-1", { kind: "running", sinceMs }), seenSinceMs: 0 });
  assert.deepEqual(steps(mute(NOW - limits.startTimeoutMs + 1)), []);
  assert.deepEqual(brief(steps(mute(NOW - limits.startTimeoutMs))), ["heal server-1"]);
});

test("the start limit counts from when this watchdog first saw the member", () => {
  const mute = (seenSinceMs: number) =>
    situation("server-1", { found: found("server-1", { kind: "running", sinceMs: 0 }), seenSinceMs });
  assert.deepEqual(steps(mute(NOW - 1)), []);
  assert.deepEqual(brief(steps(mute(NOW - limits.startTimeoutMs))), ["heal server-1"]);
});

test("a slot that backs off waits until its time has come", () => {
  const restart = { ...unblemished, notBeforeMs: NOW + 1 };
  const [step] = steps(situation("server-1", { found: exited("server-1"), restart }));
  assert.deepEqual(step && { ...step, slot: step.slot.id }, {
    kind: "wait",
    slot: "server-1",
    reason: "backing off: it exited with code 1",
    untilMs: NOW + 1,
  });
  const due = situation("server-1", { found: exited("server-1"), restart: { ...restart, notBeforeMs: NOW } });
  assert.deepEqual(brief(steps(due)), ["heal server-1"]);
});

test("a quarantined slot waits, says so, and is healed again when its time has come", () => {
  const quarantined = (notBeforeMs: number) =>
    situation("server-1", { restart: { kind: "quarantined", sinceMs: 0, notBeforeMs } });
  const [step] = steps(quarantined(NOW + 60_000));
  assert.equal(step?.reason, "quarantined: nothing fills the slot");
  assert.deepEqual(brief(steps(quarantined(NOW + 60_000))), [`wait server-1 until ${NOW + 60_000}`]);
  assert.deepEqual(brief(steps(quarantined(NOW))), ["heal server-1"]);
});

const hung = (id: string) => serving(id, { probed: silent, missed: 3 });

test("the sick of one role are replaced one at a time, and those of other roles beside them", () => {
  const planned = steps(hung("server-1"), hung("server-2"), hung("proxy-1"), serving("proxy-2"));
  assert.deepEqual(brief(planned), ["heal server-1", `wait server-2 until ${NOW}`, "heal proxy-1"]);
  assert.match(planned[1]?.reason ?? "", /^after server-1: /);
});

test("a sick member waits for a heal of its role that is already under way", () => {
  const planned = steps(hung("server-1"), situation("server-2", { healing: true }), serving("server-3"));
  assert.deepEqual(brief(planned), [`wait server-1 until ${NOW}`]);
});

test("the dead are replaced all at once, beside a sick one", () => {
  const gone = ["server-2", "server-3"].map((id) => situation(id, { found: exited(id) }));
  assert.deepEqual(brief(steps(hung("server-1"), ...gone)), ["heal server-1", "heal server-2", "heal server-3"]);
});

test("a sick member that still answers stays when it is the last of its role that serves", () => {
  const sick = serving("server-1", { found: running("server-1", { unhealthy: true }), probed: passed });
  const [step] = steps(sick, serving("server-2", { probed: notReady }), serving("proxy-1"));
  assert.equal(step?.kind, "wait");
  assert.match(step?.reason ?? "", /^the last server that serves stays: /);
  assert.deepEqual(brief(steps(sick, serving("server-2"))), ["heal server-1"]);
});

test("a member that answers nobody is replaced though it is the last of its role", () => {
  assert.deepEqual(brief(steps(hung("balancer"))), ["heal balancer"]);
});

const fault = fc.record({ kind: fc.constantFrom(...faults), slot: fc.nat(), rounds: fc.nat({ max: 20 }) });

/** Longer than a quarantine and the heals that wait for one another after it. */
const CONVERGED_WITHIN_ROUNDS = 180;

test("a walk through any faults ends with every slot serving that nobody stopped, and an empty plan", () => {
  const walk = fc.property(fc.array(fault, { maxLength: 40 }), fc.nat(), (faultsToCome, seed) => {
    const world = new World(seeded(seed));
    for (const { kind, slot, rounds } of faultsToCome) {
      world.suffer(kind, slot);
      for (let n = 0; n < rounds; n += 1) world.round();
    }
    world.endFaults();
    for (let n = 0; n < CONVERGED_WITHIN_ROUNDS; n += 1) world.round();
    assert.deepEqual(world.unwell(), [], `${CONVERGED_WITHIN_ROUNDS * ROUND_MS} ms after the last fault`);
    assert.deepEqual(world.round(), []);
  });
  fc.assert(walk, { seed: 20_261_122, numRuns: 400 });
});
