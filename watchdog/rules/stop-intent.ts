// Pure. The stop intent that the engine's events tell of: did somebody stop a member on purpose, or did it fail?
// The grammar is Docker's, as Compose itself reads it (compose pkg/compose/monitor.go):
//
//   a crash           died
//   docker kill       signalled KILL, died
//   docker stop       signalled TERM, perhaps signalled KILL, then stopped and died in either order
//   docker restart    as stop, then started
//
//   intent \ event | signalled KILL | other signal | stopped | died  | started
//   none           | none           | asked        | stopped | none  | none
//   asked          | asked          | asked        | stopped | asked | none
//   stopped        | stopped        | stopped      | stopped | stopped | none
//
// "asked" cannot be told from `docker kill -s TERM` yet: when the member dies, the watchdog waits ASKED_MS for the event
// "stopped". Any signal may be an image's STOPSIGNAL; only the usual ones take a running member out of traffic.

import type { EngineEvent } from "../engines/discovery.ts";

interface Times {
  /** By our own clock, for how long ago it was. */
  readonly atMs: number;
  /** By the engine's, for what came before or after it there. */
  readonly engineMs: number;
  /** The same, of the first signal; absent where an earlier watchdog has not noted it. */
  readonly beganMs?: number;
}

export type StopIntent =
  /** `toStop`: by a signal that means nothing else. */
  ({ readonly kind: "asked"; readonly toStop: boolean } & Times) | ({ readonly kind: "stopped" } & Times);

const STOP_SIGNALS: ReadonlySet<string> = new Set(["TERM", "INT", "QUIT"]);

/** How long a signal other than KILL holds a heal back when the member died of it and no "stopped" has come. */
export const ASKED_MS = 2_000;
/** A member that still runs this long after a signal was asked something else, unless it may take longer to stop. */
export const ASKED_FORGOTTEN_MS = 30_000;
/** How long after a member's time to stop the engine may take to end it outright. */
const STOP_MARGIN_MS = 10_000;

/** A run of a member. */
interface RunOfMember {
  /** When it began, by the engine's clock. */
  readonly sinceMs: number;
  /** How long the engine gives it to stop before it ends it outright; undefined: nobody has said. */
  readonly stopTimeoutMs?: number | undefined;
}

/** The intent as far as it still holds when the member runs. */
export function intentOfRunning(
  intent: StopIntent | undefined,
  { sinceMs, stopTimeoutMs = 0 }: RunOfMember,
  nowMs: number,
): StopIntent | undefined {
  // Somebody has started it again since, whether or not that event was heard: events get lost.
  if (intent === undefined || sinceMs > intent.engineMs) return undefined;
  if (intent.kind !== "asked") return intent;
  return nowMs >= askedUntilMs(intent, stopTimeoutMs) ? undefined : intent;
}

/** Until when one that was asked to stop may yet end for that reason. */
export function askedUntilMs({ atMs }: StopIntent, stopTimeoutMs = 0): number {
  return atMs + Math.max(ASKED_FORGOTTEN_MS, stopTimeoutMs + STOP_MARGIN_MS);
}

/** A member's stop intent after an event; undefined: none. @param atMs when the event was, by our own clock */
export function intentAfter(intent: StopIntent | undefined, event: EngineEvent, atMs: number): StopIntent | undefined {
  switch (event.kind) {
    case "signalled":
      if (event.signal === "KILL" || intent?.kind === "stopped") return intent;
      return { kind: "asked", ...timesOf(event, atMs), toStop: STOP_SIGNALS.has(event.signal) };
    case "stopped":
      return { kind: "stopped", ...timesOf(event, atMs, intent) };
    case "started":
      return undefined;
    case "died":
      // "stopped" comes beside it, however long the member took to end.
      return intent?.kind === "asked" ? { ...intent, ...timesOf(event, atMs, intent) } : intent;
    case "created":
    case "removed":
    case "suspected":
    case "changed":
      return intent;
    default:
      return event satisfies never;
  }
}

function timesOf({ engineMs }: { readonly engineMs: number }, atMs: number, before?: StopIntent): Times {
  return { atMs, engineMs, beganMs: before?.beganMs ?? before?.engineMs ?? engineMs };
}
