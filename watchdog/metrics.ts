// The watchdog's own metrics. Labels are slots, outcomes and phases: bounded by the topology. A slot that is no more takes its
// gauges with it.

import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { processMetrics } from "../services/runtime/metrics.ts";
import { engineCalls, type TimedCall } from "./engines/timed.ts";
import { type Durations, phases } from "./incidents/durations.ts";
import type { HealEnd } from "./incidents/recorder.ts";
import { isUnderWay, type Roll, rollPhases } from "./rollout/roll.ts";
import { type SlotState, serves, shownState, shownStates } from "./rules/slot-state.ts";

/** A killed member is back in a fraction of a second, a hung one in seconds; START_TIMEOUT_MS may be ten minutes. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** A round, or a call to the engine, takes milliseconds; a busy engine may need many seconds. */
const ENGINE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const HEAL_ENDS: readonly HealEnd[] = ["healed", "failed", "rolled-back"];
const ROLL_ENDS = rollPhases.filter((phase) => !isUnderWay({ phase } as Roll));

interface RoundFound {
  readonly slotStates: readonly SlotState[];
  /** Of the registry that was written last. */
  readonly version: number;
  readonly rolls: Iterable<Roll>;
}

export interface WatchdogMetrics {
  readonly registry: Registry;
  readonly round: (found: RoundFound) => void;
  /** Whatever came of it. */
  readonly roundTook: (seconds: number, failed: boolean) => void;
  readonly engineCalled: (call: TimedCall, seconds: number, failed: boolean) => void;
  /** Once for each incident, when it has ended. */
  readonly healEnded: (slot: string, end: HealEnd, durations: Durations) => void;
  readonly quarantined: (slot: string) => void;
  /** It is under way no longer. */
  readonly rollEnded: (phase: Roll["phase"]) => void;
}

export function watchdogMetrics(): WatchdogMetrics {
  const registry = processMetrics();
  const registers = [registry];
  const { round, quarantined } = slotMetrics(registers);
  const { heals, phase } = healMetrics(registers);
  const version = new Gauge({ name: "evenkeel_registry_version", help: "The registry last written.", registers });
  const rollMetrics = rollsOf(registers);
  return {
    registry,
    round({ slotStates, version: written, rolls }) {
      round(slotStates);
      heals.slots(slotStates);
      version.set(written);
      rollMetrics.underWay(rolls);
    },
    healEnded(slot, end, durations) {
      heals.counter.labels(slot, end).inc();
      for (const [name, ms] of Object.entries(durations)) phase.labels(name).observe(ms / 1_000);
    },
    quarantined,
    rollEnded: rollMetrics.ended,
    ...loopMetrics(registers),
  };
}

function slotMetrics(registers: Registry[]) {
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name, help, labelNames, registers });
  const up = gauge("evenkeel_member_serving", "1 when the slot's member passed its last probe.", "slot");
  const state = gauge("evenkeel_slot_state", "1 for the state that the slot is in, 0 for the others.", "slot", "state");
  const quarantine = "1 while the slot failed so often that it is healed once a minute alone.";
  const quarantined = gauge("evenkeel_slot_quarantined", quarantine, "slot");
  const unread = "What was not read of the member's present run, because a line was longer than 8 KB.";
  const cut = gauge("evenkeel_member_output_cut_bytes", unread, "slot");
  const unheard =
    "Reports of the member's present run that were not read, because they were more than 100 in a second.";
  const dropped = gauge("evenkeel_member_reports_dropped", unheard, "slot");
  const ever = counterBySlot(registers, {
    name: "evenkeel_quarantines_total",
    help: "Times that a slot failed so often that it was healed once a minute alone.",
  });
  return {
    quarantined: (slot: string) => ever.counter.labels(slot).inc(),
    round(slotStates: readonly SlotState[]) {
      for (const one of [up, state, quarantined, cut, dropped]) one.reset();
      ever.slots(slotStates);
      for (const slotState of slotStates) {
        const { slot, restart, found } = slotState;
        const now = shownState(slotState);
        for (const each of shownStates) state.labels(slot.id, each).set(each === now ? 1 : 0);
        up.labels(slot.id).set(serves(slotState) ? 1 : 0);
        quarantined.labels(slot.id).set(restart.kind === "quarantined" ? 1 : 0);
        cut.labels(slot.id).set(found?.unheard.bytes ?? 0);
        dropped.labels(slot.id).set(found?.unheard.reports ?? 0);
      }
    },
  };
}

function healMetrics(registers: Registry[]) {
  const heals = counterBySlot(registers, {
    name: "evenkeel_heals_total",
    help: "Heals that have ended, by slot and outcome; rolled back: the successor did not do, and its predecessor has its place again.",
    label: "outcome",
    values: HEAL_ENDS,
  });
  const phase = new Histogram({
    name: "evenkeel_heal_phase_seconds",
    help: "How long each phase of an incident took; total: from its detection to traffic.",
    labelNames: ["phase"],
    buckets: SECONDS,
    registers,
  });
  for (const name of phases) phase.zero({ phase: name });
  return { heals, phase };
}

function rollsOf(registers: Registry[]) {
  const now = new Gauge({ name: "evenkeel_rolls_under_way", help: "Rolls that are under way.", registers });
  const help = "Rolls that have ended, by outcome.";
  const ended = new Counter({ name: "evenkeel_rolls_total", help, labelNames: ["outcome"], registers });
  for (const outcome of ROLL_ENDS) ended.inc({ outcome }, 0);
  return {
    underWay: (rolls: Iterable<Roll>) => now.set([...rolls].filter(isUnderWay).length),
    ended: (outcome: Roll["phase"]) => ended.inc({ outcome }),
  };
}

function loopMetrics(registers: Registry[]): Pick<WatchdogMetrics, "roundTook" | "engineCalled"> {
  const rounds = new Histogram({
    ...{ name: "evenkeel_round_duration_seconds", help: "How long a round took, without the rest after it." },
    ...{ buckets: ENGINE_SECONDS, registers },
  });
  const failed = new Counter({ name: "evenkeel_rounds_failed_total", help: "Rounds that failed.", registers });
  const calls = new Histogram({
    ...{ name: "evenkeel_engine_call_duration_seconds", help: "How long the engine took for each call." },
    ...{ labelNames: ["call"], buckets: ENGINE_SECONDS, registers },
  });
  const name = "evenkeel_engine_calls_failed_total";
  const refused = new Counter({ name, help: "Calls that the engine failed.", labelNames: ["call"], registers });
  for (const call of engineCalls) {
    calls.zero({ call });
    refused.inc({ call }, 0);
  }
  return {
    roundTook(seconds, hasFailed) {
      rounds.observe(seconds);
      if (hasFailed) failed.inc();
    },
    engineCalled(call, seconds, hasFailed) {
      calls.labels(call).observe(seconds);
      if (hasFailed) refused.labels(call).inc();
    },
  };
}

interface CounterBySlot {
  readonly name: string;
  readonly help: string;
  /** Of a second label, with all its values. */
  readonly label?: string;
  readonly values?: readonly string[];
}

/** A counter whose series are there, at 0, as long as the slot is. */
function counterBySlot(registers: Registry[], { name, help, label, values = [] }: CounterBySlot) {
  const labelNames = ["slot", ...(label === undefined ? [] : [label])];
  const counter = new Counter({ name, help, labelNames, registers });
  const seriesOf = (slot: string) => (label === undefined ? [{ slot }] : values.map((one) => ({ slot, [label]: one })));
  let known: ReadonlySet<string> = new Set();
  return {
    counter,
    slots(slotStates: readonly SlotState[]) {
      const slots = new Set(slotStates.map(({ slot }) => slot.id));
      for (const slot of slots) if (!known.has(slot)) for (const series of seriesOf(slot)) counter.inc(series, 0);
      for (const slot of known) if (!slots.has(slot)) for (const series of seriesOf(slot)) counter.remove(series);
      known = slots;
    },
  };
}
