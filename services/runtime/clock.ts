// Our time: milliseconds since 1970 as they were when the process began, and from then on by a clock that nobody can set. A correction
// of the host's clock by an hour must neither hold a heal back for an hour nor end an ejection.

const { timeOrigin } = performance;

export function nowMs(): number {
  return Math.round(timeOrigin + performance.now());
}
