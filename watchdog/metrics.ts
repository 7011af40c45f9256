// The watchdog's own metrics. Labels are slots, outcomes and phases: bounded by the topology. A slot that is no more takes its
// gauges with it.

import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import { processMetrics } from "../services/runtime/metrics.ts";
import { type Durations, phases } from "./incidents/durations.ts";
import { type SlotState, serves } from "./rules/slot-state.ts";

/** A killed member is back in a fraction of a second, a hung one in seconds; START_TIMEOUT_MS may be ten minutes. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

export interface WatchdogMetrics {
  readonly registry: Registry;
  readonly round: (slotStates: readonly SlotState[], version: number) => void;
  readonly healed: (slot: string, outcome: string) => void;
  /** Once for each incident, when it has ended. */
  readonly observe: (durations: Durations) => void;
}

export function watchdogMetrics(): WatchdogMetrics {
  const registry = processMetrics();
  const registers = [registry];
  const up = new Gauge({
    name: "evenkeel_member_serving",
    help: "1 when the member passed its last probe.",
    labelNames: ["member"],
    registers,
  });
  const quarantined = new Gauge({
    name: "evenkeel_slot_quarantined",
    help: "1 while the slot failed so often that it is healed once a minute alone.",
    labelNames: ["slot"],
    registers,
  });
  const cut = new Gauge({
    name: "evenkeel_member_output_cut_bytes",
    help: "What was not read of the member's present run, because a line was longer than 8 KB.",
    labelNames: ["member"],
    registers,
  });
  const dropped = new Gauge({
    name: "evenkeel_member_reports_dropped",
    help: "Reports of the member's present run that were not read, because they were more than 100 in a second.",
    labelNames: ["member"],
    registers,
  });
  const heals = new Counter({
    name: "evenkeel_heals_total",
    help: "Heals by slot and outcome: started, failed, rolled-back or left-unfinished.",
    labelNames: ["slot", "outcome"],
    registers,
  });
  const phase = new Histogram({
    name: "evenkeel_heal_phase_seconds",
    help: "How long each phase of an incident took; total: from its detection to traffic.",
    labelNames: ["phase"],
    buckets: SECONDS,
    registers,
  });
  for (const name of phases) phase.zero({ phase: name });
  const version = new Gauge({ name: "evenkeel_registry_version", help: "The registry last written.", registers });
  return {
    registry,
    round(slotStates, written) {
      for (const gauge of [up, quarantined, cut, dropped]) gauge.reset();
      for (const slotState of slotStates) {
        const { slot, restart, found } = slotState;
        up.labels(slot.id).set(serves(slotState) ? 1 : 0);
        quarantined.labels(slot.id).set(restart.kind === "quarantined" ? 1 : 0);
        cut.labels(slot.id).set(found?.unheard.bytes ?? 0);
        dropped.labels(slot.id).set(found?.unheard.reports ?? 0);
      }
      version.set(written);
    },
    healed: (slot, outcome) => heals.labels(slot, outcome).inc(),
    observe(durations) {
      for (const [name, ms] of Object.entries(durations)) phase.labels(name).observe(ms / 1_000);
    },
  };
}
