// Pure. A histogram for what every request is counted in: an observation changes two numbers of plain memory, and makes nothing.
// prom-client's own makes objects for each. It is read when it is scraped (metrics.ts).

import type { Labels, Sample } from "./metrics.ts";

/** From half a millisecond, which a request between processes of one host takes, to ten seconds. */
const REQUEST_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

export class Histogram {
  readonly #bounds: readonly number[];
  /** In each bucket alone; the last is for all that is above. */
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds upper ones, from the smallest */
  constructor(bounds: readonly number[] = REQUEST_SECONDS) {
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let index = 0;
    while (index < bounds.length && value > (bounds[index] as number)) index += 1;
    (this.#counts[index] as number) += 1;
    this.#sum += value;
  }

  /** As Prometheus has it: each bucket holds those below it too. */
  samples(name: string, labels: Labels): Sample[] {
    let total = 0;
    const buckets = Array.from(this.#counts, (count, index) => {
      total += count;
      const le = this.#bounds[index] ?? "+Inf";
      return { metricName: `${name}_bucket`, labels, own: ["le", le] as const, value: total };
    });
    const sum = { metricName: `${name}_sum`, labels, value: this.#sum };
    return [...buckets, sum, { metricName: `${name}_count`, labels, value: total }];
  }
}
