// One JSON line per event on stdout, with the member's role and id bound to it. Which events there are, and how severe each is,
// stands in events.ts.

import { hostname } from "node:os";
import { pino } from "pino";
import type { Settings } from "./config.ts";
import { type EventName, events, type Failing } from "./events.ts";
import { writeOut } from "./stdout.ts";

/** `log("listening", { port })` */
export type Log = (event: EventName, facts?: Readonly<Record<string, unknown>>) => void;

type LogSettings = Pick<Settings, "ROLE" | "ID" | "LOG_LEVEL"> & Partial<Pick<Settings, "WORKER" | "REPORT_NONCE">>;

export function openLog({ ROLE, ID, LOG_LEVEL, WORKER, REPORT_NONCE }: LogSettings): Log {
  // By it the watchdog tells our reports from what others have us print.
  const nonce = REPORT_NONCE ?? hostname();
  const least = LOG_LEVEL === "silent" ? Number.POSITIVE_INFINITY : (pino.levels.values[LOG_LEVEL] ?? 0);
  const logger = pino(
    {
      level: "debug",
      base: { role: ROLE, id: ID, ...(WORKER !== undefined && { worker: WORKER }) },
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: writeOut },
  );
  return (event, facts = {}) => {
    const { level } = events[event];
    const isReport = "report" in events[event];
    if (isReport || (pino.levels.values[level] ?? 0) >= least)
      logger[level](isReport ? { ...facts, nonce } : facts, event);
  };
}

/** Something that fails and recovers. It is logged when its reason appears, changes or goes, and never while it stays. */
export class Condition {
  readonly #log: Log;
  readonly #thing: Failing;
  #reason: string | undefined;

  constructor(log: Log, thing: Failing) {
    this.#log = log;
    this.#thing = thing;
  }

  /** Why it fails; undefined while it does not. */
  get reason(): string | undefined {
    return this.#reason;
  }

  failing(reason: string, facts: Readonly<Record<string, unknown>> = {}): void {
    if (reason === this.#reason) return;
    this.#reason = reason;
    this.#log(`${this.#thing}-failing`, { reason, ...facts });
  }

  recovered(facts: Readonly<Record<string, unknown>> = {}): void {
    if (this.#reason === undefined) return;
    const was = this.#reason;
    this.#reason = undefined;
    this.#log(`${this.#thing}-recovered`, { was, ...facts });
  }
}
