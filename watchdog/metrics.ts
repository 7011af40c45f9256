// The watchdog's own metrics. Labels are slots and outcomes: bounded by the topology.

import { Counter, Gauge, type Registry } from "prom-client";
import { processMetrics } from "../services/metrics.ts";
import { type Situation, serves } from "./situation.ts";

export interface WatchdogMetrics {
  readonly registry: Registry;
  readonly round: (situations: readonly Situation[], version: number) => void;
  readonly healed: (slot: string, outcome: string) => void;
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
  const heals = new Counter({
    name: "evenkeel_heals_total",
    help: "Heals by slot and outcome: started, failed or rolled-back.",
    labelNames: ["slot", "outcome"],
    registers,
  });
  const version = new Gauge({ name: "evenkeel_registry_version", help: "The registry last written.", registers });
  return {
    registry,
    round(situations, written) {
      for (const situation of situations) up.labels(situation.slot.id).set(serves(situation) ? 1 : 0);
      version.set(written);
    },
    healed: (slot, outcome) => heals.labels(slot, outcome).inc(),
  };
}
