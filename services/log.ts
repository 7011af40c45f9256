// One JSON line per event on stdout, with the member's role and id bound to it. Stdout is also the pipe to the watchdog
// (see watchdog/reports.ts), so a reader that stalls or leaves must never hold a member up: writes to a pipe are
// asynchronous and bounded. (process.stdout blocks on a full pipe; pino's own destination never returns from a broken one.)

import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import type { Writable } from "node:stream";
import { type Logger, pino } from "pino";
import type { Settings } from "./config.ts";

/** Log with `log.info({ port }, "listening")`: the message is the event's name. */
export type Log = Logger;

/** What the watchdog reads (watchdog/reports.ts): written whatever LOG_LEVEL says. */
const REPORTS: ReadonlySet<unknown> = new Set(["listening", "draining", "suspect", "ready", "not-ready"]);

/** What may wait for a stalled reader; past it lines are dropped, traffic is not. */
const BUFFER_BYTES_MAX = 1024 * 1024;
const FLUSH_MS_MAX = 500;

export interface LogHandle {
  readonly log: Log;
  /** Resolves when all lines are with the reader, or it has had its time. */
  readonly close: () => Promise<void>;
}

export function openLog({ ROLE, ID, LOG_LEVEL }: Pick<Settings, "ROLE" | "ID" | "LOG_LEVEL">): LogHandle {
  const stdout = openStdout();
  const least = LOG_LEVEL === "silent" ? Number.POSITIVE_INFINITY : (pino.levels.values[LOG_LEVEL] ?? 0);
  const log = pino(
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
    {
      write(line: string) {
        if (stdout.writableLength < BUFFER_BYTES_MAX) stdout.write(line);
      },
    },
  );
  return { log, close: () => flushed(stdout) };
}

function openStdout(): Writable {
  const kind = fstatSync(1);
  const stdout =
    kind.isFIFO() || kind.isSocket() ? new Socket({ fd: 1, readable: false, writable: true }) : process.stdout;
  stdout.on("error", () => {});
  return stdout;
}

function flushed(stdout: Writable): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, FLUSH_MS_MAX).unref();
    stdout.write("", () => resolve());
  });
}
