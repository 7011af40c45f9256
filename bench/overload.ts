// `npm run bench:overload`: a lone tier at half, once and four times what it can do, and how soon it is back: first where its members are what
// is full, then where it has no processor time left itself. For the second it gets a small part of a core as its own. Prints ratios; it
// judges nothing.

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTier, type TierProcess } from "../test/tools/process/tiers.ts";
import { entry } from "../test/tools/registry.ts";
import { isRight } from "./chain/answers.ts";
import { Children } from "./chain/children.ts";
import { closedLoop } from "./chain/load/closed-loop.ts";
import type { Answer } from "./chain/load/connection.ts";
import { CONNECTIONS_MAX, type OpenLoopResult, openLoop } from "./chain/load/open-loop.ts";
import { type Manner, startOrigins } from "./chain/origins.ts";
import { compilePrograms } from "./chain/programs.ts";
import { SMALL } from "./chain/scenarios.ts";
import { versionOf } from "./chain/tools.ts";
import { Core } from "./workers/core.ts";

const ROUNDS = 3;
const SECONDS = 4;
const WARM_UP_SECONDS = 3;
const FACTORS = [0.5, 1, 4];
const AFTER = 0.5;
const AFTER_SECONDS = 3;
const LATE_MS = 1_000;

interface Kind {
  readonly about: string;
  readonly manner: Manner;
  readonly environment: Readonly<Record<string, string>>;
  /** As many as keep it busy when its capacity is measured. */
  readonly clients: number;
  /** Of users who know nothing of each other each has one. */
  readonly connections: number;
  /** Of a core; absent: all that there is. */
  readonly share?: number;
}

const CONCURRENCY = 8;
const kinds: readonly Kind[] = [
  {
    about: "members are full: two servers that take 100 ms, 8 requests at a time each",
    ...{
      manner: "slow",
      environment: { MEMBER_REQUESTS_MAX: String(CONCURRENCY) },
      clients: 2 * CONCURRENCY,
      connections: 128,
    },
  },
  {
    about: "the tier is full: a fifth of a core, 4,096 connections",
    ...{ manner: "plain", environment: {}, clients: 64, connections: CONNECTIONS_MAX, share: 0.2 },
  },
];

interface Flood {
  /** Requests a second. */
  readonly capacity: number;
  readonly connections: number;
}

const right = (answer: Answer) => isRight(SMALL, answer);

async function measure(kind: Kind, ports: readonly number[]): Promise<void> {
  const ends: (() => unknown)[] = [];
  let core: Core | undefined;
  try {
    const members = ports.map((port, index) => entry(`proxy-${index + 1}`, port));
    const environment = { ...kind.environment, CONNECTIONS_PER_CLIENT_MAX: String(2 * CONNECTIONS_MAX) };
    const tier = await startTier({ after: (end) => void ends.push(end) }, members, environment);
    await closedLoop({ port: tier.port, connections: kind.clients, request: SMALL, seconds: WARM_UP_SECONDS });
    if (kind.share !== undefined) {
      const pid = tier.child.pid as number;
      core = await Core.make(`evenkeel-bench-${pid}`, kind.share);
      await core.take(pid);
    }
    await load(tier, kind);
  } finally {
    for (const end of ends.reverse()) await end();
    await core?.remove();
  }
}

async function load({ port }: TierProcess, { clients, connections }: Kind): Promise<void> {
  const closed = await closedLoop({ port, connections: clients, request: SMALL, seconds: SECONDS });
  const capacity = (closed.answers - closed.failed) / closed.seconds;
  const offer = (factor: number, seconds: number) =>
    openLoop({ port, perSecond: capacity * factor, seconds, request: SMALL, connections, isRight: right });
  for (const factor of FACTORS) {
    const result = await offer(factor, SECONDS);
    console.log(`  ${factor}x: ${textOf(result, capacity * Math.min(1, factor))}`);
  }
  console.log(`  back at ${AFTER}x: ${await recovery(port, { capacity, connections })}`);
}

/** How long the flood is over when the last request of those that go on is refused, or answered late. */
async function recovery(port: number, { capacity, connections }: Flood): Promise<string> {
  let startedMs = 0;
  let lastMs = 0;
  let open = 0;
  let begin = () => {};
  const bothOpen = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const whenOpen = () => {
    open += 1;
    startedMs = performance.now();
    if (open === 2) begin();
    return bothOpen;
  };
  const heed = (answer: Answer, tookMs: number) => {
    if (!right(answer) || tookMs > LATE_MS) lastMs = performance.now() - startedMs;
    return right(answer);
  };
  const common = { port, request: SMALL, whenOpen };
  const [{ seconds }, { lost }] = await Promise.all([
    openLoop({ ...common, perSecond: capacity * 4, seconds: SECONDS, connections, isRight: right }),
    openLoop({ ...common, perSecond: capacity * AFTER, seconds: SECONDS + AFTER_SECONDS, isRight: heed }),
  ]);
  const notAnswered = lost > 0 ? `, ${lost} were not answered` : "";
  if (lastMs === 0) return `nobody was refused or had to wait${notAnswered}`;
  const afterMs = Math.max(0, lastMs - seconds * 1_000);
  return `the last refusal or late answer came ${afterMs.toFixed(0)} ms after the flood${notAnswered}`;
}

function textOf(result: OpenLoopResult, best: number): string {
  const { due, goodInTime, seconds, rejected, lost, wrong, p50Ms, p99Ms, rejectedP99Ms } = result;
  const share = (count: number) => `${((count / due) * 100).toFixed(0)} %`;
  const refused = rejected > 0 ? ` (p99 ${rejectedP99Ms.toFixed(0)} ms)` : "";
  const odd = wrong > 0 ? `, ${wrong} neither right nor a 503` : "";
  return [
    `${(goodInTime / seconds / best).toFixed(2)} of the best, p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms`,
    `503 ${share(rejected)}${refused}, never sent or not answered ${share(lost)}${odd}`,
  ].join(", ");
}

const children = new Children();
const folder = await mkdtemp(join(tmpdir(), "evenkeel-bench-"));
await chmod(folder, 0o755);
try {
  if (versionOf("nginx") === undefined)
    throw new Error("npm run bench:overload needs nginx, for servers that take their time");
  const { standIn } = await compilePrograms(folder);
  for (const kind of kinds) {
    const { manner } = kind;
    const origins = await startOrigins(children, { count: 2, manner, folder, standIn, hasNginx: true });
    for (let round = 1; round <= ROUNDS; round += 1) {
      console.log(`${kind.about}, round ${round}`);
      await measure(kind, origins.ports);
    }
    await children.stop([origins.child]);
  }
} finally {
  await children.stopAll();
  await rm(folder, { recursive: true, force: true });
}
