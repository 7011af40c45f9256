// The prom-client registry that each process starts from: what Node.js tells of itself. A role adds its own metrics to it.

import { collectDefaultMetrics, Registry } from "prom-client";

/** Between two looks at the event loop, in ms: prom-client's own 10 would wake an idle process a hundred times a second. */
const EVENT_LOOP_LOOK_MS = 100;

export function processMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_LOOK_MS });
  return registry;
}
