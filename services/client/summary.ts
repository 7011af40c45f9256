// Counts the requests of one run of the client: answers by the way they took, failures by their reason, and how long answers took.

import { createHistogram } from "node:perf_hooks";
import { countLine } from "../command-line/text-table.ts";
import type { RequestResult } from "./request.ts";

export interface SummaryText {
  /** For stdout. */
  readonly counts: string;
  /** For stderr: one line for each reason. */
  readonly failures: readonly string[];
}

export class Summary {
  readonly #routes = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #micros = createHistogram();
  #answered = 0;
  #failed = 0;

  count(result: RequestResult): void {
    if (result.ok) {
      this.#answered += 1;
      this.#micros.record(Math.max(1, Math.round(result.ms * 1000)));
      increment(this.#routes, `${result.proxy} > ${result.server}`);
    } else {
      this.#failed += 1;
      increment(this.#failures, result.reason);
    }
  }

  get failed(): number {
    return this.#failed;
  }

  /** @param count how many were to be sent */
  text(client: number, count: number): SummaryText {
    const left = count - this.#answered - this.#failed;
    const early = left === 0 ? "" : `; ended early, ${left} not sent`;
    const lines = [
      `client ${client}: ${this.#answered} answered, ${this.#failed} failed${early}`,
      ...(this.#answered > 0 ? [`p50 ${this.#percentile(50)} ms, p99 ${this.#percentile(99)} ms`] : []),
      ...[...this.#routes].sort().map(([route, times]) => countLine(times, route)),
    ];
    return {
      counts: lines.join("\n"),
      failures: [...this.#failures].map(([reason, times]) => countLine(times, reason)),
    };
  }

  #percentile(share: number): string {
    return (this.#micros.percentile(share) / 1000).toFixed(1);
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
