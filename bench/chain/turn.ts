// One turn: one stack under one scenario's load, and what came of it as samples. Judges answers, never figures.

import { setTimeout as delay } from "node:timers/promises";
import type { Children } from "./children.ts";
import { type ClosedLoop, closedLoop } from "./load/closed-loop.ts";
import { type Answer, bytesOf, Connection, exchange } from "./load/connection.ts";
import { openIdle } from "./load/idle.ts";
import { openLoop } from "./load/open-loop.ts";
import type { LoadResult, Request } from "./load/result.ts";
import { wrk } from "./load/wrk.ts";
import { BIG_BYTES, SMALL_BODY } from "./origins.ts";
import type { Figures } from "./sample.ts";
import { type Measure, SMALL } from "./scenarios.ts";
import type { System } from "./systems.ts";
import { cpuUs, residentBytes } from "./usage.ts";

const MEGABYTE = 1_048_576;
const LOOK_MS_MAX = 10_000;
const CAPACITY_CONNECTIONS = 64;
/** For what a stack does a moment after its last connection has come. */
const SETTLE_MS = 1_000;

export interface Means {
  readonly seconds: number;
  readonly folder: string;
  readonly hasWrk: boolean;
  readonly children: Children;
}

/** One sample without the names that the run knows. */
export interface Part {
  readonly part: string;
  readonly figures: Figures;
  readonly wrong: readonly string[];
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
      parts.push({ ...one, part: `${slice * sliceSeconds} s` });
    }
    return parts;
  },
  overload,
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

function isRight(request: Request, { status, body }: Answer): boolean {
  return status === 200 && body === bodyOf(request);
}

/** The body that the servers give to it. */
function bodyOf({ path, bodyBytes }: Request): string {
  if (path === "/big") return "x".repeat(BIG_BYTES);
  return path === "/up" ? String(bodyBytes) : SMALL_BODY;
}

async function closed(
  system: System,
  { connections, request, mayFail }: Omit<Of<"closed">, "kind">,
  means: Means,
): Promise<Part> {
  const before = cpuUs(system.pids);
  const result = await load({ port: system.port, connections, seconds: means.seconds, request }, means);
  const used = cpuUs(system.pids) - before;
  const { answers, failed, broken, seconds, p50Ms, p99Ms } = result;
  const figures: Figures = {
    requestsPerSecond: (answers - failed) / seconds,
    cpuUs: used / Math.max(1, answers),
    ...{ p50Ms, p99Ms },
    residentMb: residentBytes(system.pids) / MEGABYTE,
    failedShare: (failed + broken) / Math.max(1, answers + broken),
  };
  return { part: "", figures, wrong: mayFail ? [] : faultsOf(result, request) };
}

/** The load generator counts bytes and not bodies: fewer than all bodies have together is a body cut short. */
function faultsOf({ answers, failed, broken, bytes }: LoadResult, request: Request): string[] {
  return [
    answers === 0 ? "no answer" : "",
    failed > 0 ? `${failed} of ${answers} answers are not a 200` : "",
    broken > 0 ? `${broken} requests without an answer` : "",
    failed === 0 && bytes < answers * bodyOf(request).length ? `${answers} answers in ${bytes} bytes` : "",
  ].filter(Boolean);
}

/** Capacity comes from our own generator, whose own cost is then part of both figures. */
async function overload(system: System, { factors }: Of<"overload">, { seconds }: Means): Promise<Part[]> {
  const { port } = system;
  const before = cpuUs(system.pids);
  const capacity = await closedLoop({ port, connections: CAPACITY_CONNECTIONS, seconds, request: SMALL });
  const used = cpuUs(system.pids) - before;
  const perSecond = capacity.answers / capacity.seconds;
  const figures = { requestsPerSecond: perSecond, cpuUs: used / Math.max(1, capacity.answers) };
  const parts: Part[] = [{ part: "capacity", figures, wrong: faultsOf(capacity, SMALL) }];
  for (const factor of factors) parts.push(await offered(system, { perSecond, factor, seconds, part: `${factor}x` }));
  parts.push(await offered(system, { perSecond, factor: 0.5, seconds: 1, part: "after" }));
  return parts;
}

async function offered(
  system: System,
  load: { readonly perSecond: number; readonly factor: number; readonly seconds: number; readonly part: string },
): Promise<Part> {
  const before = cpuUs(system.pids);
  const result = await openLoop({
    port: system.port,
    perSecond: load.perSecond * load.factor,
    seconds: load.seconds,
    request: SMALL,
    isRight: (answer) => isRight(SMALL, answer),
  });
  const { due, goodInTime, rejected, lost, wrong, seconds, p50Ms, p99Ms, rejectedP99Ms } = result;
  const figures: Figures = {
    requestsPerSecond: goodInTime / seconds,
    // Of what could be served at best, which is the capacity or what was asked for.
    goodShare: goodInTime / seconds / (load.perSecond * Math.min(1, load.factor)),
    ...{ rejectedShare: rejected / due, lostShare: lost / due },
    cpuUs: (cpuUs(system.pids) - before) / due,
    residentMb: residentBytes(system.pids) / MEGABYTE,
    ...{ p50Ms, p99Ms, ...(rejected > 0 ? { rejectedP99Ms } : {}) },
  };
  return { part: load.part, figures, wrong: wrong > 0 ? [`${wrong} answers are neither right nor a 503`] : [] };
}

async function idle(system: System, { connections }: Of<"idle">): Promise<Part[]> {
  const before = residentBytes(system.pids);
  const right = (answer: Answer) => isRight(SMALL, answer);
  const opened = await openIdle({ port: system.port, count: connections, request: SMALL, isRight: right });
  await delay(SETTLE_MS);
  const grown = residentBytes(system.pids) - before;
  const open = opened.open();
  opened.close();
  const figures: Figures = { bytesPerConnection: grown / Math.max(1, open), residentMb: (before + grown) / MEGABYTE };
  const wrong = open < connections ? [`${open} of ${connections} connections stayed open`] : [];
  return [{ part: "", figures, wrong }];
}
