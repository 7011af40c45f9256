// Counts the requests of one run of the client: answers by the way they took, failures by their reason, and how long answers took.
// What others write, such as a server's name, is counted each for itself up to a bound.

import { createHistogram } from "node:perf_hooks";
import type { RequestResult } from "./request.ts";

const NAMES_MAX = 200;
const FAILURES_MAX = 50;
const OTHERS = "others";
const PERCENTILES = [50, 90, 99, 99.9] as const;

/** Of the bars of the histogram, in ms. */
const UP_TO_MS = [
  0.5,
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  1_000,
  2_000,
  5_000,
  10_000,
  Number.POSITIVE_INFINITY,
] as const;

export interface Failures {
  /** A status, or an error's code. */
  readonly kind: string;
  readonly reason: string;
  readonly count: number;
}

/** The way of some answers. */
export interface AnswerWay {
  readonly proxy: string;
  readonly server: string;
  readonly count: number;
}

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface LatencyBar {
  /** Longer than that of the bar before. null: however long. */
  readonly upToMs: number | null;
  readonly count: number;
}

export class Tally {
  readonly #ways = new Map<string, AnswerWay>();
  readonly #failures = new Map<string, Failures>();
  readonly #micros = createHistogram();
  readonly #bars = UP_TO_MS.map(() => 0);
  #answered = 0;
  #failed = 0;

  count(result: RequestResult): void {
    if (!result.ok) {
      this.#failed += 1;
      const { kind, reason } = result;
      const key = this.#failures.has(reason) || this.#failures.size < FAILURES_MAX ? reason : OTHERS;
      const known = this.#failures.get(key) ?? { kind: key === OTHERS ? OTHERS : kind, reason: key, count: 0 };
      this.#failures.set(key, { ...known, count: known.count + 1 });
      return;
    }
    this.#answered += 1;
    this.#micros.record(Math.max(1, Math.round(result.ms * 1_000)));
    const bar = UP_TO_MS.findIndex((upToMs) => result.ms <= upToMs);
    this.#bars[bar] = (this.#bars[bar] as number) + 1;
    const way = `${result.proxy} > ${result.server}`;
    const isNamed = this.#ways.has(way) || this.#ways.size < NAMES_MAX;
    const { proxy, server } = isNamed ? result : { proxy: OTHERS, server: OTHERS };
    const key = isNamed ? way : OTHERS;
    this.#ways.set(key, { proxy, server, count: (this.#ways.get(key)?.count ?? 0) + 1 });
  }

  get answered(): number {
    return this.#answered;
  }

  get failed(): number {
    return this.#failed;
  }

  /** By proxy and server. */
  get ways(): AnswerWay[] {
    return [...this.#ways].sort(([one], [other]) => compare(one, other)).map(([, way]) => way);
  }

  get failures(): Failures[] {
    return [...this.#failures.values()];
  }

  /** In ms; undefined: nothing was answered. */
  get latency(): Latency | undefined {
    if (this.#answered === 0) return undefined;
    const [p50, p90, p99, p999] = PERCENTILES.map((share) => this.#micros.percentile(share) / 1_000) as [
      number,
      number,
      number,
      number,
    ];
    return { p50, p90, p99, p999, max: this.#micros.max / 1_000 };
  }

  /** From the first to the last that is not empty. */
  get bars(): LatencyBar[] {
    const all = this.#bars.map((count, index) => ({ upToMs: finite(UP_TO_MS[index] as number), count }));
    const first = all.findIndex(({ count }) => count > 0);
    const last = all.findLastIndex(({ count }) => count > 0);
    return first === -1 ? [] : all.slice(first, last + 1);
  }
}

const finite = (value: number) => (Number.isFinite(value) ? value : null);

/** server-10 comes behind server-9. */
function compare(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
