// `status --watch`: the state, again and again until Ctrl-C. On a terminal it is drawn in its place; in a pipe it is written whenever it
// has changed.

import { setTimeout as delay } from "node:timers/promises";
import { print, stopSignal } from "../../../services/command-line/command-line.ts";
import { LiveLines, terminalOf } from "../../../services/command-line/live-lines.ts";
import { plain } from "../../../services/command-line/text-table.ts";
import { complain, exitCode } from "../../../services/runtime/exit.ts";
import type { ApiClient } from "../../api/client.ts";
import { ask } from "../ask.ts";

const LOOK_EVERY_MS = 500;

export interface WatchWanted {
  readonly json: boolean;
  /** Where the watchdog is, as people read it. */
  readonly at: string;
}

/** Resolves with the exit code. */
export async function watchStatus(api: ApiClient, { json, at }: WatchWanted): Promise<number> {
  const stop = stopSignal();
  const terminal = json ? undefined : terminalOf(process.stdout);
  const live = terminal && new LiveLines(terminal);
  let last = "";
  while (!stop.aborted) {
    const told = await ask(api, { kind: "status" }, at);
    if (stop.aborted) break;
    if (!told.ok && last === "") return complain(plain(told.reason), exitCode.failed);
    const text = told.ok ? (json ? JSON.stringify(told.body) : told.text) : plain(told.reason);
    if (live !== undefined) live.draw(() => text.split("\n").map((line) => ({ text: line })));
    else if (text !== last) told.ok ? print(json ? text : `${text}\n`) : complain(text, exitCode.failed);
    last = text;
    await delay(LOOK_EVERY_MS, undefined, { signal: stop }).catch(() => {});
  }
  live?.leave();
  return 0;
}
