// A log that a test can read: what is logged through it is kept, as the events that stdout would carry.

import { events as known } from "../../services/runtime/events.ts";
import type { Log } from "../../services/runtime/log.ts";

export interface LogEvent {
  readonly event: string;
  readonly level: string;
  readonly [field: string]: unknown;
}

export interface RecordedLog {
  readonly log: Log;
  readonly events: readonly LogEvent[];
}

export function recordedLog(): RecordedLog {
  const events: LogEvent[] = [];
  return { log: (event, facts = {}) => void events.push({ ...facts, event, level: known[event].level }), events };
}
