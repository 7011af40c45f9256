// How an incident goes on from the decision to heal until it is in traffic or has failed, how long each phase took, and what
// it changed. The walk lets steps come in any order and with any clock.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { changesBetween, type MemberTraits } from "../../watchdog/incidents/changes.ts";
import { advanced, begun, exitOf, type IncidentStep } from "../../watchdog/incidents/course.ts";
import { type Durations, durations, phases } from "../../watchdog/incidents/durations.ts";
import type { Incident, IncidentTimes } from "../../watchdog/incidents/incident.ts";
import {
  beginning,
  created,
  failed,
  incidentAfter,
  inTraffic,
  ready,
  started,
  wholeCourse,
} from "../tools/watchdog/incidents.ts";

test("an incident begins under way, with what was known when the heal was decided", () => {
  assert.deepEqual(begun(beginning), {
    number: 7,
    slot: "server-4",
    role: "server",
    cause: "it exited with code 137 (signal 9)",
    exit: { code: 137, oom: false },
    replaced: "old",
    times: { detectedMs: 1_000, decidedMs: 1_010 },
    outcome: "under-way",
    changes: [],
    log: ["listening", "one more request"],
  });
});

test("an incident of a slot that nothing filled has no exit and replaces nobody", () => {
  const incident = begun({
    ...beginning,
    exit: undefined,
    replaced: undefined,
    cause: "nothing fills the slot",
    log: [],
  });
  assert.ok(!("exit" in incident) && !("replaced" in incident));
});

test("an exit is what the engine tells of a member that has ended, and none of one that has not", () => {
  assert.deepEqual(exitOf({ kind: "exited", code: 137, oom: true }), { code: 137, oom: true });
  assert.deepEqual(exitOf({ kind: "exited", code: undefined, signal: "SIGKILL", oom: false }), {
    signal: "SIGKILL",
    oom: false,
  });
  for (const life of [undefined, { kind: "running", sinceMs: 1 }, { kind: "paused" }, { kind: "created" }] as const) {
    assert.equal(exitOf(life), undefined);
  }
});

test("each step adds its time, and nothing else but what it tells", () => {
  const incident = incidentAfter(wholeCourse);
  assert.deepEqual(incident, {
    ...begun(beginning),
    successor: "new",
    times: {
      detectedMs: 1_000,
      decidedMs: 1_010,
      createdMs: 1_200,
      startedMs: 1_400,
      readyMs: 1_700,
      inTrafficMs: 1_750,
    },
    outcome: "healed",
    changes: ["port: 9004 > 9005"],
  });
});

test("an incident is under way until it is in traffic", () => {
  for (const length of wholeCourse.keys()) {
    assert.equal(incidentAfter(wholeCourse.slice(0, length)).outcome, "under-way");
  }
});

test("an incident that fails keeps the steps it had reached, and says why it failed", () => {
  const { times, outcome, failure } = incidentAfter([created, started, failed]);
  assert.deepEqual(times, {
    detectedMs: 1_000,
    decidedMs: 1_010,
    createdMs: 1_200,
    startedMs: 1_400,
    failedMs: 1_800,
  });
  assert.deepEqual([outcome, failure], ["failed", "no such image"]);
});

test("a step that was reached before keeps its first time", () => {
  const once = incidentAfter([created, started]);
  assert.deepEqual(advanced(once, { ...started, atMs: 9_000 }), once);
  assert.deepEqual(advanced(once, { kind: "created", successor: "another", atMs: 9_000 }), once);
});

test("a step that a later one has overtaken is left out", () => {
  const overtaken = incidentAfter([created, ready]);
  assert.deepEqual(advanced(overtaken, started), overtaken);
  assert.equal(advanced(overtaken, inTraffic).outcome, "healed");
});

test("an incident that has ended does not change", () => {
  for (const end of [inTraffic, failed]) {
    const ended = incidentAfter([created, end]);
    for (const step of [...wholeCourse, failed]) assert.equal(advanced(ended, step), ended);
  }
});

test("a clock that is set back in the middle leaves the steps in order", () => {
  const { times } = incidentAfter([created, { ...started, atMs: 3 }, { ...failed, atMs: 5 }]);
  assert.deepEqual([times.startedMs, times.failedMs], [1_200, 1_200]);
  assert.equal(incidentAfter([], { detectedMs: 50, decidedMs: 40 }).times.decidedMs, 50);
});

const atMs = fc.nat({ max: 10_000 });
const anyStep: fc.Arbitrary<IncidentStep> = fc
  .tuple(fc.constantFrom(...wholeCourse, failed), atMs)
  .map(([step, time]) => ({ ...step, atMs: time }));
const order: readonly (keyof IncidentTimes)[] = [
  "detectedMs",
  "decidedMs",
  "createdMs",
  "startedMs",
  "readyMs",
  "inTrafficMs",
  "failedMs",
];
const timesOf = ({ times }: Incident) => order.flatMap((time) => times[time] ?? []);

test("whatever steps come, in whatever order and by whatever clock, times grow in order and an end is the end", () => {
  const walk = fc.property(atMs, atMs, fc.array(anyStep, { maxLength: 20 }), (detectedMs, decidedMs, steps) => {
    let incident = begun({ ...beginning, detectedMs, decidedMs });
    for (const step of steps) {
      const next = advanced(incident, step);
      const times = timesOf(next);
      assert.deepEqual(
        times,
        [...times].sort((one, other) => one - other),
      );
      for (const [name, time] of Object.entries(incident.times))
        assert.equal(next.times[name as keyof IncidentTimes], time);
      if (incident.outcome !== "under-way") assert.equal(next, incident);
      assert.equal(next.outcome === "healed", next.times.inTrafficMs !== undefined);
      assert.equal(next.outcome === "failed", next.times.failedMs !== undefined && next.failure !== undefined);
      for (const taken of Object.values(durations(next))) assert.ok(taken >= 0, `${taken} ms`);
      incident = next;
    }
  });
  fc.assert(walk, { seed: 20_261_122, numRuns: 500 });
});

test("the phases of a healed incident add up to its total", () => {
  const taken = durations(incidentAfter(wholeCourse));
  assert.deepEqual(taken, { decide: 10, create: 190, start: 200, ready: 300, traffic: 50, total: 750 });
  assert.deepEqual(Object.keys(taken), [...phases]);
});

const partly: readonly [string, readonly IncidentStep[], Durations][] = [
  ["that has just begun has decided, and no more", [], { decide: 10 }],
  ["that failed before anything was made has no further phase", [failed], { decide: 10 }],
  [
    "that failed after its start has the phases until then",
    [created, started, failed],
    { decide: 10, create: 190, start: 200 },
  ],
  [
    "whose start nobody saw lacks the two phases it bounds",
    [created, ready, inTraffic],
    { decide: 10, create: 190, traffic: 50, total: 750 },
  ],
];

for (const [what, steps, taken] of partly) {
  test(`an incident ${what}`, () => assert.deepEqual(durations(incidentAfter(steps)), taken));
}

const changed: readonly [string, MemberTraits, MemberTraits, string[]][] = [
  ["nothing is known of either", {}, {}, []],
  ["all is as it was", { port: 9004, host: "a" }, { host: "a", port: 9004 }, []],
  ["the port is another", { host: "a", port: 9004 }, { host: "a", port: 9005 }, ["port: 9004 > 9005"]],
  ["several are others", { image: "x", port: 1 }, { port: 2, image: "y" }, ["image: x > y", "port: 1 > 2"]],
  ["the one before was not known", { port: undefined }, { port: 9005, host: "a" }, []],
  ["the one now is not known", { port: 9004, host: "a" }, { port: undefined }, []],
];

for (const [when, before, after, lines] of changed) {
  test(`when ${when}, the changes are ${lines.length === 0 ? "none" : lines.join(", ")}`, () => {
    assert.deepEqual(changesBetween(before, after), lines);
  });
}
