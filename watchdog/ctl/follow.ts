// Follows what was ordered until it is over: a line whenever something changes, JSON lines for scripts. A watchdog that is being replaced
// meanwhile is waited for.

import { setTimeout as delay } from "node:timers/promises";
import { print } from "../../services/command-line/command-line.ts";
import { complain, exitCode } from "../../services/runtime/exit.ts";

const LOOK_EVERY_MS = 250;
const UNREACHABLE_MS_MAX = 30_000;

export interface Followed<Row> {
  /** undefined: nobody answers. */
  readonly look: () => Promise<Row | undefined>;
  readonly lineOf: (row: Row) => string;
  /** undefined: it goes on. */
  readonly codeOf: (row: Row) => number | undefined;
  readonly json: boolean;
}

/** Resolves with the exit code. */
export async function follow<Row>({ look, lineOf, codeOf, json }: Followed<Row>): Promise<number> {
  let last = "";
  let answeredMs = performance.now();
  for (;;) {
    const row = await look();
    if (row !== undefined) {
      answeredMs = performance.now();
      const line = json ? JSON.stringify(row) : lineOf(row);
      if (line !== last) print(line);
      last = line;
      const code = codeOf(row);
      if (code !== undefined) return code;
    } else if (performance.now() - answeredMs > UNREACHABLE_MS_MAX)
      return complain("the watchdog does not answer any more: it goes on when it is back", exitCode.failed);
    await delay(LOOK_EVERY_MS);
  }
}
