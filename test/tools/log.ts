// A log that a test can read: what is logged through it is kept, as the events that stdout would carry.

import { pino } from "pino";
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
  const formatters = { level: (level: string) => ({ level }) };
  const sink = { write: (line: string) => void events.push(JSON.parse(line) as LogEvent) };
  return { log: pino({ level: "debug", messageKey: "event", base: {}, formatters }, sink), events };
}
