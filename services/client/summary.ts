// Pure. What a run of the client says when it is over: as text for people, as one document for scripts.

import { countLine, plain } from "../command-line/text-table.ts";
import type { AnswerWay, Failures, Latency, LatencyBar } from "./tally.ts";

const BAR_WIDTH = 40;
const COUNT_WIDTH = 8;
const RANGE_WIDTH = 11;

export interface RunResult {
  /** The client's number. */
  readonly client: number;
  readonly answered: number;
  readonly failed: number;
  /** Those that were to be sent and were not; undefined: it was not said how many were to be. */
  readonly notSent: number | undefined;
  readonly elapsedMs: number;
  readonly latency: Latency | undefined;
  readonly ways: readonly AnswerWay[];
  readonly bars: readonly LatencyBar[];
  readonly failures: readonly Failures[];
}

export interface SummaryText {
  /** For stdout. */
  readonly counts: string;
  /** For stderr: one line for each reason. */
  readonly failures: readonly string[];
}

export function summaryText(result: RunResult): SummaryText {
  const { client, answered, failed, notSent = 0, elapsedMs, latency, ways, bars, failures } = result;
  const early = notSent === 0 ? "" : `; ended early, ${notSent} not sent`;
  const took = `${(elapsedMs / 1_000).toFixed(1)} s, ${perSecond(answered + failed, elapsedMs)} requests a second`;
  const parts = [
    `client ${client}: ${answered} answered, ${failed} failed${early}\n${latency ? `${latencyText(latency)}\n` : ""}${took}`,
    ...(answered > 0 ? [shares(ways, answered).join("\n"), bars.map((bar) => barLine(bar, answered)).join("\n")] : []),
  ];
  return {
    counts: parts.join("\n\n"),
    failures: failures.map(({ reason, count }) => countLine(count, reason)),
  };
}

/** For scripts; times in ms. */
export function summaryDocument(result: RunResult): object {
  const { client, answered, failed, notSent = null, elapsedMs, latency = null, ways, bars, failures } = result;
  const requestsPerSecond = perSecond(answered + failed, elapsedMs);
  const counts = {
    client,
    requests: answered + failed,
    answered,
    failed,
    notSent,
    elapsedMs: Math.round(elapsedMs),
    requestsPerSecond,
  };
  return { ...counts, latencyMs: latency, ways, histogram: bars, failures };
}

export function latencyText({ p50, p90, p99, max }: Latency): string {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return `p50 ${ms(p50)}, p90 ${ms(p90)}, p99 ${ms(p99)}, most ${ms(max)}`;
}

export function perSecond(count: number, elapsedMs: number): number {
  return elapsedMs === 0 ? 0 : Math.round((count * 10_000) / elapsedMs) / 10;
}

/** Each proxy, and below it what its servers have answered. */
function shares(ways: readonly AnswerWay[], answered: number): string[] {
  const width = Math.max(...ways.flatMap(({ proxy, server }) => [plain(proxy).length, plain(server).length + 2]));
  const line = (name: string, count: number) =>
    `${name.padEnd(width)}  ${String(count).padStart(COUNT_WIDTH)}  ${percent(count, answered)}`;
  return [...new Set(ways.map(({ proxy }) => proxy))].flatMap((proxy) => {
    const own = ways.filter((way) => way.proxy === proxy);
    const all = own.reduce((sum, { count }) => sum + count, 0);
    return [line(plain(proxy), all), ...own.map(({ server, count }) => line(`  ${plain(server)}`, count))];
  });
}

function barLine({ upToMs, count }: LatencyBar, answered: number): string {
  const range = upToMs === null ? "longer" : `to ${upToMs} ms`;
  const bar = "#".repeat(Math.ceil((count / answered) * BAR_WIDTH));
  return `${range.padStart(RANGE_WIDTH)}  ${String(count).padStart(COUNT_WIDTH)}  ${bar}`.trimEnd();
}

function percent(count: number, all: number): string {
  return `${((count / all) * 100).toFixed(1).padStart(5)} %`;
}
