// The metrics of a member that has several workers, as those of one: each summed, or whatever its aggregator says. What workers counted that
// are gone stays counted as it was last told, so that no counter goes backwards.

import { AggregatorRegistry, Counter, Gauge, Registry } from "prom-client";
import type { MetricValues } from "./messages.ts";

export class WorkerMetrics {
  readonly #own = new Registry();
  readonly #up: () => number;
  readonly #restarts: Counter;
  /** Of workers that are gone. */
  #past: MetricValues = [];

  /** @param up how many workers take traffic */
  constructor(up: () => number) {
    this.#up = up;
    const registers = [this.#own];
    new Gauge({ name: "evenkeel_workers", help: "Workers that take traffic.", registers }).set(0);
    this.#restarts = new Counter({
      name: "evenkeel_worker_restarts_total",
      help: "Workers that ended or hung, and were started again.",
      registers,
    });
  }

  /** For the tables of the documents. */
  get own(): Registry {
    return this.#own;
  }

  /** A worker is gone. @param last what it told last; undefined: nothing yet */
  async bury(last: MetricValues | undefined): Promise<void> {
    this.#restarts.inc();
    if (last !== undefined) this.#past = await summed([this.#past, last.filter(isCounted)]).getMetricsAsJSON();
  }

  /** @param told by each worker that is there */
  async sum(told: readonly MetricValues[]): Promise<Registry> {
    (this.#own.getSingleMetric("evenkeel_workers") as Gauge).set(this.#up());
    const past = told.length === 0 ? this.#past : withoutRetired(this.#past, told.flat());
    return summed([...told, past, await this.#own.getMetricsAsJSON()]);
  }
}

/** A member that no worker knows any longer takes with it what was counted of it by those that are gone. */
function withoutRetired(past: MetricValues, told: MetricValues): MetricValues {
  const known = new Set(told.flatMap(({ values }) => values.map(memberOf)));
  return past.map((metric) => ({ ...metric, values: metric.values.filter((value) => known.has(memberOf(value))) }));
}

/** The member that a series is about; undefined: it is about none. */
function memberOf({ labels }: MetricValues[number]["values"][number]): string | undefined {
  const { upstream, pool } = labels as { readonly upstream?: string; readonly pool?: string };
  return upstream ?? pool;
}

/** Only what adds up over time outlives a worker. */
function isCounted({ type }: MetricValues[number]): boolean {
  return ["counter", "histogram"].includes(String(type));
}

function summed(values: readonly MetricValues[]): Registry {
  return AggregatorRegistry.aggregate([...values]);
}
