// The prom-client registry that each process starts from: what Node.js tells of itself. A role adds its own metrics to it; what every
// request changes is kept in plain numbers by whoever it belongs to, and read from there at a scrape.

import { collectDefaultMetrics, type Metric, Registry } from "prom-client";

/** Between two looks at the event loop, in ms: prom-client's own 10 would wake an idle process a hundred times a second. */
const EVENT_LOOP_LOOK_MS = 100;

export function processMetrics(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_LOOK_MS });
  return registry;
}

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  /** Where it is not the metric's: a histogram's have endings of their own. */
  readonly metricName?: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labelNames?: readonly string[];
  /** Over several workers; a sum unless it says otherwise. */
  readonly aggregator?: "min" | "max";
  /** Called at each scrape. */
  readonly read: () => Iterable<Sample>;
}

/** Adds a metric that is read where it is kept. All that a registry asks of one are these properties; its types do not say so. */
export function addReadMetric(registry: Registry, metric: ReadMetric): void {
  const { name, help, type, labelNames = [], aggregator = "sum", read } = metric;
  const get = async () => ({ name, help, type, aggregator, values: [...read()] });
  registry.registerMetric({ name, help, type, labelNames, get } as unknown as Metric<string>);
}
