// Pure. What each of several workers may have of a limit that is the whole member's: all shares together are exactly the limit.

import type { Settings } from "../runtime/config.ts";

/** Limits on what there may be at one time. */
const SHARED = [
  ...(["MEMBER_REQUESTS_MAX", "QUEUE_MAX", "HELD_MAX", "CONNECTIONS_MAX", "CONNECTIONS_PER_CLIENT_MAX"] as const),
] as const satisfies readonly (keyof Settings)[];

/** The settings as one worker has them. @param settings of the member; with WORKER, the number of the worker from 1 */
export function settingsOfWorker(settings: Settings): Settings {
  const { WORKER, WORKERS } = settings;
  if (WORKER === undefined) return settings;
  const shares = SHARED.flatMap((name) => {
    const limit = settings[name];
    return limit === undefined ? [] : [[name, shareOf(limit, WORKERS, WORKER)] as const];
  });
  return { ...settings, ...Object.fromEntries(shares) };
}

/** The first ones get what cannot be divided. @param number from 1 */
export function shareOf(limit: number, workers: number, number: number): number {
  return Math.floor(limit / workers) + (number <= limit % workers ? 1 : 0);
}
