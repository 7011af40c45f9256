// Follows what was ordered until it is over: a line whenever something changes, JSON lines for scripts. A watchdog that is being replaced
// meanwhile is waited for.

import { setTimeout as delay } from "node:timers/promises";
import { print } from "../../services/command-line/command-line.ts";
import { complain, exitCode } from "../../services/runtime/exit.ts";
import type { ApiClient } from "../api/client.ts";

const LOOK_EVERY_MS = 250;
const UNREACHABLE_MS_MAX = 30_000;
/** How long a watchdog that was started a moment ago may take until it answers, and has looked for the first time. */
const COMES_WITHIN_MS = 10_000;

export interface Shown {
  /** Where the watchdog is, as people read it. */
  readonly at: string;
  readonly json: boolean;
}

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

/** Before it is given an order: `docker compose up -d` returns before the watchdog has come. */
export async function untilItHasLooked(api: Pick<ApiClient, "state">): Promise<void> {
  const begunMs = performance.now();
  while (performance.now() - begunMs < COMES_WITHIN_MS) {
    const state = await api.state();
    if (state.kind === "foreign" || state.kind === "refused") return;
    if (state.kind === "read" && state.document.slots.length > 0) return;
    await delay(LOOK_EVERY_MS);
  }
}
