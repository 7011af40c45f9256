// What a load generator has counted, whichever it was.

export interface LoadResult {
  /** Answers that came whole, right or not. */
  readonly answers: number;
  /** Of those, answers that are not a 200. */
  readonly failed: number;
  /** Connections refused or broken, and answers that did not come in time. */
  readonly broken: number;
  /** Bytes of all answers, heads included. */
  readonly bytes: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What is asked for; a path of the origins'. */
export interface Request {
  readonly path: string;
  readonly method?: "GET" | "POST";
  readonly bodyBytes?: number;
  /** A connection for this request alone. */
  readonly close?: boolean;
}

/** The value below which this share of the sorted values lies; 0 of none. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
