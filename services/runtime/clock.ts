// The process's time, by a clock that nobody can set: a correction of the host's clock by an hour must neither hold a heal back for an
// hour nor end an ejection. Asking the system costs as much as reading a header line, and a request asks a dozen times: while the time is
// held, as in one callback of the event loop (net/turn.ts), it is asked once.

const { timeOrigin } = performance;
const now = performance.now.bind(performance);
const UNKNOWN = -1;

let held = false;
let heldMs = UNKNOWN;

/** Since the process began, in milliseconds. */
export function monotonicMs(): number {
  if (!held) return now();
  if (heldMs === UNKNOWN) heldMs = now();
  return heldMs;
}

/** Milliseconds since 1970 as they were when the process began, and from then on by the same clock. */
export function nowMs(): number {
  return Math.round(timeOrigin + monotonicMs());
}

/** Until releaseTime() the time stands still, as it is when it is next asked for. */
export function holdTime(): void {
  held = true;
  heldMs = UNKNOWN;
}

export function releaseTime(): void {
  held = false;
}
