// A histogram for what every request is counted in: an observation changes two numbers of plain arrays, and prom-client reads them when it
// is scraped. Its own histogram makes objects for each observation.

import type { Metric, Registry } from "prom-client";

export interface HistogramParts {
  readonly name: string;
  readonly help: string;
  /** Upper bounds, from the smallest. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

/** What prom-client's own histograms tell it; its types do not say so. */
interface Told {
  readonly name: string;
  readonly help: string;
  readonly type: "histogram";
  readonly aggregator: "sum";
  readonly values: readonly { readonly metricName: string; readonly labels: object; readonly value: number }[];
}

export class Histogram {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[] = [];
  readonly #buckets: readonly number[];
  /** In each bucket alone; the last is for all that is above. */
  readonly #counts: Float64Array;
  #sum = 0;

  constructor({ name, help, buckets, registry }: HistogramParts) {
    this.name = name;
    this.help = help;
    this.#buckets = buckets;
    this.#counts = new Float64Array(buckets.length + 1);
    // All that a registry asks of a metric are these methods.
    registry.registerMetric(this as unknown as Metric<string>);
  }

  observe(value: number): void {
    const buckets = this.#buckets;
    let index = 0;
    while (index < buckets.length && value > (buckets[index] as number)) index += 1;
    (this.#counts[index] as number) += 1;
    this.#sum += value;
  }

  async get(): Promise<Told> {
    const values: Told["values"][number][] = [];
    let total = 0;
    this.#counts.forEach((count, index) => {
      total += count;
      const le = this.#buckets[index] ?? "+Inf";
      values.push({ metricName: `${this.name}_bucket`, labels: { le }, value: total });
    });
    values.push({ metricName: `${this.name}_sum`, labels: {}, value: this.#sum });
    values.push({ metricName: `${this.name}_count`, labels: {}, value: total });
    return { name: this.name, help: this.help, type: "histogram", aggregator: "sum", values };
  }

  reset(): void {
    this.#counts.fill(0);
    this.#sum = 0;
  }
}
