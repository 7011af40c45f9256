// One turn: one stack under one scenario's load, and what came of it as samples. Judges answers, never figures.

import { setTimeout as delay } from "node:timers/promises";
import { faultsOf, isRight } from "./answers.ts";
import type { Children } from "./children.ts";
import { type ClosedLoop, closedLoop } from "./load/closed-loop.ts";
import { type Answer, bytesOf, Connection, exchange } from "./load/connection.ts";
import { openIdle } from "./load/idle.ts";
import type { LoadResult, Request } from "./load/result.ts";
import { wrk } from "./load/wrk.ts";
import { large, long, memoryFigures, peakOf, tiersMb } from "./memory.ts";
import { overload } from "./overload.ts";
import type { Figures, Part } from "./sample.ts";
import { type Measure, SMALL } from "./scenarios.ts";
import type { System } from "./systems.ts";
import { cpuUs, MEGABYTE, residentBytes } from "./usage.ts";

const LOOK_MS_MAX = 10_000;
/** For what a stack does a moment after its last connection has come. */
const SETTLE_MS = 1_000;

export interface Means {
  readonly seconds: number;
  readonly folder: string;
  readonly hasWrk: boolean;
  readonly children: Children;
}

type Of<Kind extends Measure["kind"]> = Extract<Measure, { kind: Kind }>;
type Measurements = {
  readonly [Kind in Measure["kind"]]: (system: System, measure: Of<Kind>, means: Means) => Promise<Part[]>;
};

const measurements: Measurements = {
  closed: async (system, measure, means) => [await closed(system, measure, means)],
  cold: async (system, { connections, slices, sliceSeconds }, means) => {
    const parts: Part[] = [];
    for (let slice = 1; slice <= slices; slice += 1) {
      const one = await closed(system, { connections, request: SMALL }, { ...means, seconds: sliceSeconds });
      parts.push({ ...one, part: `${(slice - 1) * sliceSeconds}-${slice * sliceSeconds} s` });
    }
    return parts;
  },
  long: (system, { connections, marks }, means) =>
    long(system, { connections, marks, load: (loop) => load(loop, means) }),
  large: (system, { bytes }) => large(system, bytes),
  overload: (system, { factors }, { seconds }) => overload(system, { factors, seconds }),
  idle,
};

export async function takeTurn(system: System, measure: Measure, means: Means): Promise<Part[]> {
  const turn = measurements[measure.kind] as (system: System, measure: Measure, means: Means) => Promise<Part[]>;
  return turn(system, measure, means);
}

/** Asks until one answer is right, so that a stack that still looks for its members gets its time. Says what was wrong last. */
export async function look(system: System, request: Request): Promise<string | undefined> {
  const deadlineMs = performance.now() + LOOK_MS_MAX;
  let wrong = "no answer";
  while (performance.now() < deadlineMs) {
    const connection = new Connection(system.port);
    const limit = setTimeout(() => connection.close(), LOOK_MS_MAX);
    const answer = await exchange(connection, bytesOf(request));
    clearTimeout(limit);
    connection.close();
    if (answer !== undefined && isRight(request, answer)) return undefined;
    if (answer !== undefined)
      wrong = `${answer.status} with ${answer.body.length} bytes: ${JSON.stringify(answer.body.slice(0, 60))}`;
    await delay(50);
  }
  return wrong;
}

export async function load(loop: ClosedLoop, means: Means): Promise<LoadResult> {
  return means.hasWrk ? wrk(loop, means) : closedLoop(loop);
}

async function closed(
  system: System,
  { connections, request, mayFail }: Omit<Of<"closed">, "kind">,
  means: Means,
): Promise<Part> {
  const before = cpuUs(system.pids);
  const loop = { port: system.port, connections, seconds: means.seconds, request };
  const { result, peaks } = await peakOf(system, () => load(loop, means));
  const used = cpuUs(system.pids) - before;
  const { answers, failed, broken, seconds, p50Ms, p99Ms } = result;
  const figures: Figures = {
    requestsPerSecond: (answers - failed) / seconds,
    cpuUs: used / Math.max(1, answers),
    ...{ p50Ms, p99Ms },
    residentMb: residentBytes(system.pids) / MEGABYTE,
    ...memoryFigures(system, peaks),
    failedShare: (failed + broken) / Math.max(1, answers + broken),
  };
  return { part: "", figures, wrong: mayFail ? [] : faultsOf(result, request) };
}

async function idle(system: System, { connections }: Of<"idle">): Promise<Part[]> {
  const [before, tiersBefore] = [residentBytes(system.pids), tiersMb(system)];
  const right = (answer: Answer) => isRight(SMALL, answer);
  const opened = await openIdle({ port: system.port, count: connections, request: SMALL, isRight: right });
  await delay(SETTLE_MS);
  const grown = residentBytes(system.pids) - before;
  const tiersGrown = tiersMb(system).map((mb, index) => (mb - (tiersBefore[index] as number)) * MEGABYTE);
  const inBalancer = tiersGrown.filter((_, index) => system.tiers[index]?.role === "balancer");
  const open = opened.open();
  opened.close();
  const figures: Figures = {
    bytesPerConnection: grown / Math.max(1, open),
    balancerBytesPerConnection: Math.max(0, ...inBalancer) / Math.max(1, open),
    residentMb: (before + grown) / MEGABYTE,
  };
  const wrong = open < connections ? [`${open} of ${connections} connections stayed open`] : [];
  return [{ part: "", figures, wrong }];
}
