// `top`: the status page's table, live in a terminal until Ctrl-C; in a pipe it is written once. A watchdog that is gone is waited for.

import { setTimeout as delay } from "node:timers/promises";
import { print, stopSignal } from "../../../services/command-line/command-line.ts";
import { LiveLines, terminalOf } from "../../../services/command-line/live-lines.ts";
import { plain } from "../../../services/command-line/text-table.ts";
import { nowMs } from "../../../services/runtime/clock.ts";
import { complain, exitCode } from "../../../services/runtime/exit.ts";
import { foreign, unreachable } from "../ask.ts";
import { ForeignPage, pageEvents, type SeenPage } from "./page-events.ts";
import { topLines } from "./top-text.ts";

const AGAIN_MS = 1_000;
/** LiveLines draws less often than it is told; ages go on while nothing comes. */
const DRAW_EVERY_MS = 200;
/** In a pipe the first figures are waited for, which take two looks at the tiers. */
const FIGURES_WITHIN_MS = 4_000;

export interface TopWanted {
  readonly watchdog: URL;
  readonly token: string | undefined;
}

/** Resolves with the exit code. */
export async function top({ watchdog, token }: TopWanted): Promise<number> {
  const url = new URL("/page/events", watchdog);
  const init = { headers: token === undefined ? {} : { Authorization: `Bearer ${token}` }, stop: stopSignal() };
  const terminal = terminalOf(process.stdout);
  let seen: SeenPage = {};
  let lostMs: number | undefined;
  /** How far the watchdog's clock is behind ours. */
  let behindMs = 0;
  const lines = () => topLines({ ...seen, nowMs: nowMs() - behindMs, lostMs });
  const live = terminal && new LiveLines(terminal);
  const timer = setInterval(() => seen.state && live?.draw(lines), DRAW_EVERY_MS);
  const beganMs = performance.now();
  try {
    while (!init.stop.aborted) {
      const reason = await follow(pageEvents(url, init), (next) => {
        if (next.clock !== undefined && next.clock !== seen.clock) behindMs = nowMs() - next.clock;
        [seen, lostMs] = [next, undefined];
        const isWhole = seen.state !== undefined && Boolean(seen.traffic);
        return live === undefined && (isWhole || performance.now() - beganMs > FIGURES_WITHIN_MS);
      });
      if (live === undefined && seen.state !== undefined) return print(textOf(lines()));
      if (seen.state === undefined && reason !== undefined && !init.stop.aborted)
        return complain(plain(reason(watchdog.origin)), exitCode.failed);
      lostMs ??= nowMs() - behindMs;
      await delay(AGAIN_MS, undefined, { signal: init.stop }).catch(() => {});
    }
    return 0;
  } finally {
    clearInterval(timer);
    live?.leave();
  }
}

/** @param isEnough told of each event. @returns why it is over; undefined: it was enough */
async function follow(
  events: AsyncIterable<SeenPage>,
  isEnough: (seen: SeenPage) => boolean,
): Promise<((at: string) => string) | undefined> {
  try {
    for await (const seen of events) if (isEnough(seen)) return undefined;
    return (at) => unreachable(at, "it has ended its answer");
  } catch (error) {
    const { cause, message } = error as Error & { cause?: { code?: string } };
    if (error instanceof ForeignPage) return (at) => foreign(at, message);
    return (at) => unreachable(at, cause?.code ?? message);
  }
}

const textOf = (lines: readonly { readonly text: string }[]) => lines.map(({ text }) => text).join("\n");
