// Waiting in tests: for something to come true, or for something to stay so. Nothing here sleeps a guessed time:
// `eventually` returns as soon as it may, and `throughout` is for facts that say that something does NOT happen.

import { setTimeout as delay } from "node:timers/promises";

const POLL_INTERVAL_MS = 5;

/** What is waited for, in words; a function says it when it did not come, with what was there instead. */
type What = string | (() => string);

/** Looks until it sees something, and returns it. Rejects after `limitMs`, naming what did not come. */
export async function eventually<T>(what: What, look: () => T | Promise<T>, limitMs = 10_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (performance.now() > deadline)
      throw new Error(`not in ${limitMs} ms: ${typeof what === "string" ? what : what()}`);
    await delay(POLL_INTERVAL_MS);
  }
}

/** Does something over and over for a while, which is long enough for what must not happen to have happened. */
export async function throughout(periodMs: number, act: () => unknown): Promise<void> {
  const end = performance.now() + periodMs;
  while (performance.now() < end) {
    await act();
    await delay(POLL_INTERVAL_MS);
  }
}

/** The promise, or a rejection that names what did not come in time. */
export async function within<T>(limitMs: number, what: string, promise: Promise<T>): Promise<T> {
  const limit = new AbortController();
  const late = delay(limitMs, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`not in ${limitMs} ms: ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    limit.abort();
    late.catch(() => {});
  }
}
