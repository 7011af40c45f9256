// Pure. Times as the engine's API takes them: seconds since 1970 as text, with a fraction.

/** @param ms since 1970. To the millisecond: a second rounded down would reach into what was before. */
export function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(3);
}

/** @param nanoseconds since 1970, as the engine's own events have them */
export function secondsOfNano(nanoseconds: bigint): string {
  return `${nanoseconds / 1_000_000_000n}.${String(nanoseconds % 1_000_000_000n).padStart(9, "0")}`;
}
