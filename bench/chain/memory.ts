// Memory of each tier while something is done to it: the most that it ever took, after many requests, and what a body that is
// larger than any buffer lets it grow by.

import { faultsOf } from "./answers.ts";
import type { ClosedLoop } from "./load/closed-loop.ts";
import { download, type LargeResult, upload } from "./load/large.ts";
import type { LoadResult } from "./load/result.ts";
import { HUGE_PATH, UPLOAD_PATH } from "./origins.ts";
import type { Figures, Part } from "./sample.ts";
import { SMALL } from "./scenarios.ts";
import type { System } from "./systems.ts";
import { MEGABYTE, residentBytes } from "./usage.ts";

const READ_EVERY_MS = 50;
/** Of one stretch of load, between two looks at how many requests are done. */
const STRETCH_S = { least: 4, most: 30 };

/** What each tier takes now, in its system's order. */
export function tiersMb({ tiers }: System): number[] {
  return tiers.map(({ pid }) => residentBytes([pid]) / MEGABYTE);
}

/** Reads again and again while `work` runs. */
export async function peakOf<T>(system: System, work: () => Promise<T>): Promise<{ result: T; peaks: number[] }> {
  let peaks = tiersMb(system);
  const look = () => {
    peaks = tiersMb(system).map((mb, index) => Math.max(mb, peaks[index] as number));
  };
  const timer = setInterval(look, READ_EVERY_MS);
  try {
    const result = await work();
    look();
    return { result, peaks };
  } finally {
    clearInterval(timer);
  }
}

/** The largest of each kind; nothing where memory cannot be read. */
export function memoryFigures({ tiers }: System, mb: readonly number[]): Figures {
  const largest = (role: "balancer" | "proxy") => Math.max(0, ...mb.filter((_, index) => tiers[index]?.role === role));
  const [balancerMb, proxyMb] = [largest("balancer"), largest("proxy")];
  return { ...(balancerMb > 0 && { balancerMb }), ...(proxyMb > 0 && { proxyMb }) };
}

interface Long {
  readonly connections: number;
  /** After how many requests, ascending, memory is told. */
  readonly marks: readonly number[];
  readonly load: (loop: ClosedLoop) => Promise<LoadResult>;
}

export async function long(system: System, { connections, marks, load }: Long): Promise<Part[]> {
  const parts: Part[] = [];
  let [done, perSecond] = [0, Number.POSITIVE_INFINITY];
  let peaks: readonly number[] = tiersMb(system);
  for (const mark of marks) {
    const wrong = new Set<string>();
    while (done < mark && wrong.size === 0) {
      const seconds = Math.max(STRETCH_S.least, Math.min(STRETCH_S.most, Math.ceil((mark - done) / perSecond)));
      const { result, ...seen } = await peakOf(system, () =>
        load({ port: system.port, connections, seconds, request: SMALL }),
      );
      for (const fault of faultsOf(result, SMALL)) wrong.add(fault);
      peaks = seen.peaks;
      done += result.answers;
      perSecond = result.answers / result.seconds;
    }
    const part = `${mark.toLocaleString("en")} requests`;
    parts.push({ part, figures: memoryFigures(system, peaks), wrong: [...wrong] });
  }
  return parts;
}

export async function large(system: System, bytes: number): Promise<Part[]> {
  const down = () => download({ port: system.port, path: HUGE_PATH, bytes });
  const up = () => upload({ port: system.port, path: UPLOAD_PATH, bytes });
  const ways: Record<string, readonly (() => Promise<LargeResult>)[]> = { down: [down], up: [up], both: [down, up] };
  const parts: Part[] = [];
  for (const [part, transfers] of Object.entries(ways)) {
    const before = tiersMb(system);
    const { result, peaks } = await peakOf(system, () => Promise.all(transfers.map((transfer) => transfer())));
    const seconds = Math.max(...result.map((one) => one.seconds));
    const figures: Figures = {
      megabytesPerSecond: (bytes * transfers.length) / MEGABYTE / seconds,
      grownMb: Math.max(...peaks.map((mb, index) => mb - (before[index] as number))),
      ...memoryFigures(system, peaks),
    };
    parts.push({ part, figures, wrong: result.map(({ wrong }) => wrong).filter(Boolean) });
  }
  return parts;
}
