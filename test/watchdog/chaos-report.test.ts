// What chaos reports of what it recorded: counts and percentiles by kind, the conclusion, and the table for people.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChaosRun, type FaultRecord, type Recovery, reportOf } from "../../watchdog/chaos/report.ts";
import { recordLine, reportText } from "../../watchdog/chaos/report-text.ts";

const AT = "2026-11-22T12:34:56.789Z";
const recovered = (ms: number): Recovery => ({ kind: "recovered", ms });
const record = (changes: Partial<FaultRecord> = {}): FaultRecord => ({
  at: AT,
  kind: "kill",
  slot: "server-4",
  recovery: recovered(600),
  ...changes,
});

function runOf(records: readonly FaultRecord[], changes: Partial<ChaosRun> = {}): ChaosRun {
  const load = { requests: 1_000, failed: 0, failures: {}, examples: [], latencyMs: { p50: 2.04, p99: 10, max: 99.5 } };
  return {
    seed: 7,
    versions: { evenkeel: "0.1.0", node: "26.0.0", engine: "Docker 29.0.1" },
    roles: ["server", "proxy"],
    rate: 200,
    everyMs: 2_000,
    lastedMs: 300_400,
    endedEarly: false,
    records,
    passedOver: 0,
    leftOut: [],
    load,
    ...changes,
  };
}

test("faults are counted by kind and all together, each with the p50, p99 and max of its recoveries", () => {
  const kills = Array.from({ length: 100 }, (_, index) => record({ recovery: recovered(100 - index) }));
  const { faults } = reportOf(runOf([...kills, record({ kind: "hang", recovery: recovered(2_500) })]));
  assert.deepEqual(faults.kill, { count: 100, recovered: 100, recoveryMs: { p50: 50, p99: 99, max: 100 } });
  assert.deepEqual(faults.hang, { count: 1, recovered: 1, recoveryMs: { p50: 2_500, p99: 2_500, max: 2_500 } });
  assert.deepEqual(faults.all, { count: 101, recovered: 101, recoveryMs: { p50: 51, p99: 100, max: 2_500 } });
  assert.deepEqual(faults.pause, { count: 0, recovered: 0, recoveryMs: null });
});

const failing = {
  requests: 9,
  failed: 2,
  failures: { "502 reset": 2 },
  examples: [],
  latencyMs: { p50: 1, p99: 1, max: 1 },
};
const conclusions: readonly [fact: string, given: ChaosRun, objections: readonly string[]][] = [
  ["no failed GET and every fault recovered is a pass", runOf([record()]), []],
  ["a failed GET is none", runOf([record()], { load: failing }), ["2 of 9 GETs failed"]],
  [
    "a member that did not recover is none",
    runOf([record(), record({ kind: "hang", recovery: { kind: "lost", afterMs: 90_000 } })]),
    ["not recovered: server-4 (hang)"],
  ],
  [
    "a member that could not be started again is none",
    runOf([record({ kind: "stop", recovery: { kind: "left", reason: "no engine" } })]),
    ["left as chaos made them, start them yourself: server-4 (stop)"],
  ],
  ["without a fault nothing is proven", runOf([]), ["no fault was done: that proves nothing"]],
  [
    "faults that could not be done prove nothing either",
    runOf([record({ recovery: { kind: "not-done", reason: "gone" } })]),
    ["no fault was done: that proves nothing"],
  ],
  ["ended early, what was not waited for is no objection", runOf([record({ recovery: { kind: "not-awaited" } })]), []],
  ["ended before the first fault, it has nothing to object to", runOf([], { endedEarly: true }), []],
];

for (const [fact, given, objections] of conclusions) {
  test(fact, () => {
    const { passed, objections: found } = reportOf(given);
    assert.deepEqual([passed, found], [objections.length === 0, objections]);
  });
}

const lines: readonly [FaultRecord, string][] = [
  [record(), "12:34:56  kill    server-4  recovered in 600 ms"],
  [record({ failedForMs: 40 }), "12:34:56  kill    server-4  recovered in 600 ms, GETs failed up to 40 ms after it"],
  [record({ recovery: { kind: "lost", afterMs: 90_000 } }), "12:34:56  kill    server-4  did not recover in 90 s"],
  [record({ recovery: { kind: "not-done", reason: "it is gone" } }), "12:34:56  kill    server-4  it is gone"],
  [
    record({ recovery: { kind: "left", reason: "no engine" } }),
    "12:34:56  kill    server-4  could not be made good: no engine",
  ],
  [record({ recovery: { kind: "not-awaited" } }), "12:34:56  kill    server-4  was not waited for"],
];

for (const [given, line] of lines)
  test(`a fault's line: ${line.slice(28)}`, () => assert.equal(recordLine(given), line));

test("the table for people says what was done, what became of it, and the conclusion", () => {
  const records = [record(), record({ kind: "hang", slot: "proxy-1", recovery: recovered(2_000) })];
  assert.equal(
    reportText(reportOf(runOf(records))),
    `chaos for 300 s: a fault every 2000 ms, seed 7 (evenkeel 0.1.0, node 26.0.0, engine Docker 29.0.1)

             faults  recovered     p50 ms     p99 ms     max ms
kill              1          1        600        600        600
hang              1          1       2000       2000       2000
all               2          2        600       2000       2000

1000 GETs at 200 a second, 0 failed
latency p50 2.0 ms, p99 10.0 ms, max 99.5 ms

passed: no GET failed, and everything recovered`,
  );
});

test("the table names every failure, what was left out, and whoever was a target at their own risk", () => {
  const examples = [{ at: AT, waitedMs: 12, outcome: "502 reset", requestId: "abc" }];
  const text = reportText(
    reportOf(
      runOf(
        [record({ recovery: { kind: "not-awaited" } }), record({ recovery: { kind: "not-done", reason: "gone" } })],
        {
          load: { ...failing, examples },
          passedOver: 3,
          leftOut: ["pause", "remove"],
          roles: ["balancer"],
          endedEarly: true,
        },
      ),
    ),
  );
  for (const part of [
    "chaos for 300 s, ended early:",
    "kill              1          0          -          -          -",
    "      2  502 reset",
    `${AT} 502 reset after 12 ms, request abc`,
    "3 times no fault was possible",
    "left out: pause and remove, which plain processes do not have",
    "the balancer was a target",
    "not done: 12:34:56  kill    server-4  gone",
    "FAILED: 2 of 9 GETs failed",
  ]) {
    assert.ok(text.includes(part), `${part} in\n${text}`);
  }
});

test("ended early without a failure, it passes as far as it went", () => {
  const text = reportText(reportOf(runOf([record({ recovery: { kind: "not-awaited" } })], { endedEarly: true })));
  assert.match(text, /\npassed as far as it went: no GET failed, and 0 of 1 were seen to recover$/);
});
