// One JSON line per event on stdout, with the member's role and id bound to it.

import { type Logger, pino } from "pino";
import type { Settings } from "./config.ts";
import { writeOut } from "./stdout.ts";

/** Log with `log.info({ port }, "listening")`: the message is the event's name. */
export type Log = Logger;

/** What the watchdog reads (watchdog/reports.ts): written whatever LOG_LEVEL says. */
const REPORTS: ReadonlySet<unknown> = new Set(["listening", "draining", "suspect", "ready", "not-ready"]);

export function openLog({ ROLE, ID, LOG_LEVEL }: Pick<Settings, "ROLE" | "ID" | "LOG_LEVEL">): Log {
  const least = LOG_LEVEL === "silent" ? Number.POSITIVE_INFINITY : (pino.levels.values[LOG_LEVEL] ?? 0);
  return pino(
    {
      level: LOG_LEVEL === "debug" ? "debug" : "info",
      hooks: {
        logMethod(given, method, level) {
          if (level >= least || REPORTS.has(given[1])) method.apply(this, given);
        },
      },
      base: { role: ROLE, id: ID },
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: writeOut },
  );
}
