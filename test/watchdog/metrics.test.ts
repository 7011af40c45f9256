// The watchdog's metrics as Prometheus reads them: phases of heals in seconds, and one series for each slot that there is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { version } from "../../services/runtime/version.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import type { Engine } from "../../watchdog/engines/engine.ts";
import { timed } from "../../watchdog/engines/timed.ts";
import { durations } from "../../watchdog/incidents/durations.ts";
import { type WatchdogMetrics, watchdogMetrics } from "../../watchdog/metrics.ts";
import type { Roll } from "../../watchdog/rollout/roll.ts";
import type { RestartRecord } from "../../watchdog/rules/restart-policy.ts";
import { type SlotState, shownState, shownStates } from "../../watchdog/rules/slot-state.ts";
import { created, failed, incidentAfter, wholeCourse } from "../tools/watchdog/incidents.ts";
import { exited, passed, running, serving, silent, slotOf, slotState, stopped } from "../tools/watchdog/slot-states.ts";

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
  metrics.healEnded("server-1", "healed", durations(incidentAfter(wholeCourse)));
  metrics.healEnded("server-1", "failed", durations(incidentAfter([created, failed])));
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
  metrics.round({ slotStates: [serving("server-1"), slotState("server-2", { restart })], version: 1, rolls: [] });
  assert.deepEqual(await series(metrics, "evenkeel_slot_quarantined"), ['{slot="server-1"} 0', '{slot="server-2"} 1']);
  metrics.round({ slotStates: [serving("server-1"), serving("server-2")], version: 2, rolls: [] });
  assert.deepEqual(await series(metrics, "evenkeel_slot_quarantined"), ['{slot="server-1"} 0', '{slot="server-2"} 0']);
});

test("a slot that is no more takes its gauges with it", async () => {
  const metrics = watchdogMetrics();
  metrics.round({ slotStates: [serving("server-1"), serving("server-2")], version: 1, rolls: [] });
  metrics.round({ slotStates: [serving("server-2")], version: 2, rolls: [] });
  assert.deepEqual(await series(metrics, "evenkeel_member_serving"), ['{slot="server-2"} 1']);
  assert.deepEqual(await series(metrics, "evenkeel_slot_quarantined"), ['{slot="server-2"} 0']);
});

test("a slot's counters are there, at 0, before its first heal, and go with it", async () => {
  const metrics = watchdogMetrics();
  metrics.round({ slotStates: [serving("server-1"), serving("server-2")], version: 1, rolls: [] });
  metrics.healEnded("server-2", "rolled-back", {});
  metrics.quarantined("server-2");
  const ends = (slot: string, ...counts: readonly number[]) =>
    ["healed", "failed", "rolled-back"].map((outcome, at) => `{slot="${slot}",outcome="${outcome}"} ${counts[at]}`);
  const heals = () => series(metrics, "evenkeel_heals_total");
  assert.deepEqual(await heals(), [...ends("server-1", 0, 0, 0), ...ends("server-2", 0, 0, 1)]);
  const quarantines = await series(metrics, "evenkeel_quarantines_total");
  assert.deepEqual(quarantines, ['{slot="server-1"} 0', '{slot="server-2"} 1']);
  metrics.round({ slotStates: [serving("server-1")], version: 2, rolls: [] });
  assert.deepEqual(await heals(), ends("server-1", 0, 0, 0));
});

test("a slot is in one state at a time", () => {
  const life = (kind: "running" | "exited") => (kind === "running" ? running("a-1") : exited("a-1"));
  const cases: readonly (readonly [Partial<SlotState>, string])[] = [
    [{ found: life("running"), probed: passed }, "serving"],
    [{ found: life("running"), answered: false }, "starting"],
    [{ found: life("running"), probed: silent }, "failing"],
    [{ found: life("running"), probed: passed, healing: true }, "healing"],
    [{ found: life("exited"), intent: stopped }, "stopped"],
    [{ intent: stopped }, "stopped"],
    [{ found: life("running"), probed: passed, intent: stopped }, "serving"],
    [{ found: life("exited") }, "down"],
    [{}, "down"],
    [{ slot: { ...slotOf("a-1"), faults: ["no port"] } as Slot }, "misconfigured"],
  ];
  for (const [changes, shown] of cases) assert.equal(shownState(slotState("a-1", changes)), shown, shown);
});

test("of a slot's states one has a 1", async () => {
  const metrics = watchdogMetrics();
  metrics.round({ slotStates: [serving("server-1")], version: 1, rolls: [] });
  const states = await series(metrics, "evenkeel_slot_state");
  assert.equal(states.length, shownStates.length);
  assert.deepEqual(
    states.filter((line) => line.endsWith(" 1")),
    ['{slot="server-1",state="serving"} 1'],
  );
});

test("rolls are told of while they are under way, and when they have ended", async () => {
  const metrics = watchdogMetrics();
  const roll = (phase: Roll["phase"]): Roll => ({ sample: "app-3", making: "1", phase });
  const ended = (outcome: string) => series(metrics, `evenkeel_rolls_total{outcome="${outcome}"}`);
  assert.deepEqual([await ended("done"), await ended("rolled-back"), await ended("rolling")], [[" 0"], [" 0"], []]);
  metrics.round({ slotStates: [], version: 1, rolls: [roll("rolling"), roll("rolling-back"), roll("done")] });
  assert.deepEqual(await series(metrics, "evenkeel_rolls_under_way"), [" 2"]);
  metrics.rollEnded("done");
  assert.deepEqual(await ended("done"), [" 1"]);
});

test("calls to the engine are timed by their names, and those that fail are counted", async () => {
  const metrics = watchdogMetrics();
  const part = { project: "mine", list: async () => ["one"], slots: () => Promise.reject(new Error("no engine")) };
  const engine = { discovery: part, runner: {} } as unknown as Engine;
  const { discovery } = timed(engine, metrics.engineCalled);
  assert.deepEqual([discovery.project, await discovery.list()], ["mine", ["one"]]);
  await assert.rejects(discovery.slots(), /no engine/);
  const timedOnes = await series(metrics, "evenkeel_engine_call_duration_seconds_count");
  assert.deepEqual(timedOnes.filter((line) => line.endsWith(" 1")).sort(), ['{call="list"} 1', '{call="slots"} 1']);
  const failedOnes = await series(metrics, "evenkeel_engine_calls_failed_total");
  assert.deepEqual(
    failedOnes.filter((line) => line.endsWith(" 1")),
    ['{call="slots"} 1'],
  );
});

test("rounds are timed, and those that fail are counted", async () => {
  const metrics = watchdogMetrics();
  metrics.roundTook(0.02, false);
  metrics.roundTook(0.02, true);
  assert.deepEqual(await series(metrics, "evenkeel_round_duration_seconds_count"), [" 2"]);
  assert.deepEqual(await series(metrics, "evenkeel_rounds_failed_total"), [" 1"]);
});

test("every process says which program it is, and how long its event loop was busy", async () => {
  const metrics = watchdogMetrics();
  const [build] = await series(metrics, "evenkeel_build_info");
  assert.equal(build, `{version="${version}",node="${process.versions.node}"} 1`);
  const [active] = await series(metrics, "nodejs_eventloop_active_seconds_total");
  assert.ok(Number(active) > 0);
  const [lag] = await series(metrics, "nodejs_eventloop_lag_max_seconds");
  assert.ok(Number(lag) >= 0);
});
