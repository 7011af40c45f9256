// Pure. Exponential back-off: the first delay, doubled with each failure in a row, up to a limit. Jitter takes up to a quarter off,
// so that those who failed together do not come back in step
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

const JITTER_SHARE = 0.25;

/** @param failures in a row so far, at least 1 @param random from [0, 1) @returns ms until the next try */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number, random: number): number {
  const wholeMs = Math.min(maxMs, firstMs * 2 ** (failures - 1));
  return wholeMs * (1 - JITTER_SHARE * random);
}
