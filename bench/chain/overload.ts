// Overload: what a stack can do at most, then requests by the clock at multiples of that, then half of it, to see it come back.

import { faultsOf, isRight } from "./answers.ts";
import { closedLoop } from "./load/closed-loop.ts";
import { openLoop } from "./load/open-loop.ts";
import type { Figures, Part } from "./sample.ts";
import { SMALL } from "./scenarios.ts";
import type { System } from "./systems.ts";
import { cpuUs, MEGABYTE, residentBytes } from "./usage.ts";

const CAPACITY_CONNECTIONS = 64;
const AFTER = { part: "after", factor: 0.5, seconds: 1 };

export interface Overload {
  readonly factors: readonly number[];
  /** Of each part. */
  readonly seconds: number;
}

interface Load {
  readonly part: string;
  readonly seconds: number;
  readonly perSecond: number;
}

export async function overload(system: System, { factors, seconds }: Overload): Promise<Part[]> {
  const capacity = await capacityOf(system, seconds);
  const perSecond = goodOf(capacity);
  const loads = [...factors.map((factor) => ({ part: `${factor}x`, factor, seconds })), AFTER];
  const parts: Part[] = [];
  for (const { factor, ...load } of loads)
    parts.push(await offered(system, { ...load, perSecond: perSecond * factor }));
  const best = Math.max(perSecond, ...parts.map(goodOf));
  const shared = parts.map((part, index) => {
    // Of what could be served at best: the most that it ever did, or what was asked for.
    const goodShare = goodOf(part) / Math.min(best, perSecond * (loads[index]?.factor ?? 1));
    return { ...part, figures: { ...part.figures, goodShare } };
  });
  return [capacity, ...shared];
}

const goodOf = ({ figures }: Part) => figures.requestsPerSecond ?? 0;

/** By our own generator, whose own cost is then part of all figures. */
async function capacityOf(system: System, seconds: number): Promise<Part> {
  const before = cpuUs(system.pids);
  const load = { port: system.port, connections: CAPACITY_CONNECTIONS, seconds, request: SMALL };
  const result = await closedLoop(load);
  const { answers, p50Ms, p99Ms } = result;
  const used = (cpuUs(system.pids) - before) / Math.max(1, answers);
  const figures = { requestsPerSecond: answers / result.seconds, cpuUs: used, p50Ms, p99Ms };
  return { part: "capacity", figures, wrong: faultsOf(result, SMALL) };
}

async function offered({ port, pids }: System, { part, perSecond, seconds }: Load): Promise<Part> {
  const before = cpuUs(pids);
  const load = { port, perSecond, seconds, request: SMALL };
  const result = await openLoop({ ...load, isRight: (answer) => isRight(SMALL, answer) });
  const { due, goodInTime, rejected, lost, wrong, p50Ms, p99Ms, rejectedP99Ms } = result;
  const figures: Figures = {
    requestsPerSecond: goodInTime / result.seconds,
    ...{ rejectedShare: rejected / due, lostShare: lost / due },
    cpuUs: (cpuUs(pids) - before) / due,
    residentMb: residentBytes(pids) / MEGABYTE,
    ...{ p50Ms, p99Ms, ...(rejected > 0 ? { rejectedP99Ms } : {}) },
  };
  return { part, figures, wrong: wrong > 0 ? [`${wrong} answers are neither right nor a 503`] : [] };
}
