// The watchdog's metrics as Prometheus reads them: phases of heals in seconds, and one series for each slot that there is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { durations } from "../../watchdog/incidents/durations.ts";
import { type WatchdogMetrics, watchdogMetrics } from "../../watchdog/metrics.ts";
import type { RestartRecord } from "../../watchdog/rules/restart-policy.ts";
import { created, failed, incidentAfter, wholeCourse } from "../tools/watchdog/incidents.ts";
import { serving, slotState } from "../tools/watchdog/slot-states.ts";

/** The series whose name begins so, without the name's beginning. */
async function series({ registry }: WatchdogMetrics, beginning: string): Promise<string[]> {
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => line.startsWith(beginning)).map((line) => line.slice(beginning.length));
}

test("every phase has its series before the first heal", async () => {
  assert.deepEqual(
    await series(watchdogMetrics(), "evenkeel_heal_phase_seconds_count"),
    ["decide", "create", "start", "ready", "traffic", "total"].map((phase) => `{phase="${phase}"} 0`),
  );
});

test("the phases of an incident count in seconds, those that it did not reach not at all", async () => {
  const metrics = watchdogMetrics();
  metrics.observe(durations(incidentAfter(wholeCourse)));
  metrics.observe(durations(incidentAfter([created, failed])));
  assert.deepEqual(await series(metrics, "evenkeel_heal_phase_seconds_count"), [
    '{phase="decide"} 2',
    '{phase="create"} 2',
    '{phase="start"} 1',
    '{phase="ready"} 1',
    '{phase="traffic"} 1',
    '{phase="total"} 1',
  ]);
  const sums = await series(metrics, "evenkeel_heal_phase_seconds_sum");
  assert.equal(sums[5], '{phase="total"} 0.75');
  assert.equal(sums[2], '{phase="start"} 0.2');
});

test("a slot is quarantined while its record says so", async () => {
  const metrics = watchdogMetrics();
  const restart: RestartRecord = { kind: "quarantined", sinceMs: 0, notBeforeMs: 60_000 };
  metrics.round([serving("server-1"), slotState("server-2", { restart })], 1);
  assert.deepEqual(await series(metrics, "evenkeel_slot_quarantined"), ['{slot="server-1"} 0', '{slot="server-2"} 1']);
  metrics.round([serving("server-1"), serving("server-2")], 2);
  assert.deepEqual(await series(metrics, "evenkeel_slot_quarantined"), ['{slot="server-1"} 0', '{slot="server-2"} 0']);
});

test("a slot that is no more takes its gauges with it", async () => {
  const metrics = watchdogMetrics();
  metrics.round([serving("server-1"), serving("server-2")], 1);
  metrics.round([serving("server-2")], 2);
  assert.deepEqual(await series(metrics, "evenkeel_member_serving"), ['{member="server-2"} 1']);
  assert.deepEqual(await series(metrics, "evenkeel_slot_quarantined"), ['{slot="server-2"} 0']);
});
