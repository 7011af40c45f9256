// Pure. What the client draws while it asks: a progress bar, or with --watch who answers how often, second by second.

import type { LiveLine } from "../command-line/live-lines.ts";
import { countLine, plain, table } from "../command-line/text-table.ts";
import { bars, type Recent } from "./recent.ts";
import { latencyText, perSecond, type RunResult } from "./summary.ts";

const BAR_WIDTH = 30;
const FAILURES_SHOWN = 5;
const COLUMNS = [
  { title: "PROXY" },
  { title: "SERVER" },
  { title: "ANSWERED", align: "right" },
  { title: "A SECOND", align: "right" },
  { title: "THE LAST 30 S" },
] as const;

/** @param share of the whole that is done, 0 to 1 */
export function progress({ answered, failed, elapsedMs, latency }: RunResult, share: number): LiveLine[] {
  const done = Math.min(BAR_WIDTH, Math.floor(share * BAR_WIDTH));
  const bar = `[${"#".repeat(done)}${"-".repeat(BAR_WIDTH - done)}]`;
  const rate = perSecond(answered + failed, elapsedMs).toFixed(0);
  const p99 = latency === undefined ? "" : `  p99 ${latency.p99.toFixed(1)} ms`;
  const text = `${bar} ${Math.floor(share * 100)} %  ${answered} answered  ${failed} failed  ${rate}/s${p99}`;
  return [{ text, ...toneOf(failed) }];
}

/** @param recent by server */
export function watching(result: RunResult, recent: Recent): LiveLine[] {
  const { client, answered, failed, elapsedMs, latency, failures } = result;
  const head = `client ${client}  ${(elapsedMs / 1_000).toFixed(1)} s  ${answered} answered  ${failed} failed`;
  const lately = failures.slice(-FAILURES_SHOWN);
  return [
    { text: latency === undefined ? head : `${head}  ${latencyText(latency)}`, ...toneOf(failed) },
    { text: "" },
    ...rows(result, recent).map((text) => ({ text })),
    ...lately.map(({ reason, count }) => ({ text: countLine(count, reason), tone: "bad" as const })),
  ];
}

/** What a second of --watch was, where nothing can be drawn. */
export function watchedLine({ ways, answered, failed, elapsedMs }: RunResult, recent: Recent): string {
  // The timer that asks may come a moment early by the load's clock.
  const seconds = Math.round(elapsedMs / 1_000);
  const now = ways.map(({ server }) => `${plain(server)} ${recent.of(server, seconds * 1_000).at(-1) ?? 0}`);
  return `${seconds} s  ${answered} answered, ${failed} failed  ${[...new Set(now)].join(", ")}`;
}

function rows({ ways, elapsedMs }: RunResult, recent: Recent): string[] {
  const seconds = new Map(ways.map(({ server }) => [server, recent.of(server, elapsedMs)]));
  const most = Math.max(1, ...[...seconds.values()].flat());
  const cells = ways.map(({ proxy, server, count }) => {
    const counts = seconds.get(server) ?? [];
    return [proxy, server, String(count), String(counts.at(-1) ?? 0), bars(counts, most)];
  });
  return table(COLUMNS, cells).split("\n");
}

function toneOf(failed: number): Pick<LiveLine, "tone"> {
  return { tone: failed > 0 ? "bad" : "good" };
}
