// `npm run bench:page`: what an open status page costs the watchdog, with 200 servers in 20 pools behind a real balancer and two real
// proxies, whose metrics are read for it; and, where chromium is there, what it costs the browser. The rounds are made up, so that what is
// measured is the page alone. Prints figures; it judges nothing.

import { get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import type { RegistryMember, RegistryPool } from "../services/registry/document.ts";
import { adminServer } from "../services/runtime/admin-server.ts";
import { monotonicMs } from "../services/runtime/clock.ts";
import { openBrowser, openPage } from "../test/tools/browser/browser.ts";
import { origin } from "../test/tools/http/origin.ts";
import { listening } from "../test/tools/ports.ts";
import { whyNo } from "../test/tools/process/programs.ts";
import { run } from "../test/tools/process/run.ts";
import { startTier } from "../test/tools/process/tiers.ts";
import { entry } from "../test/tools/registry.ts";
import { inReverse, type Scope } from "../test/tools/scope.ts";
import { apiApp } from "../test/tools/watchdog/api.ts";
import { exited, running, serving, slotState } from "../test/tools/watchdog/slot-states.ts";
import type { ServiceLabels } from "../watchdog/desired/labels.ts";
import type { SlotState } from "../watchdog/rules/slot-state.ts";
import { TrafficWatch } from "../watchdog/traffic/traffic-watch.ts";

const POOLS = 20;
const SERVERS = 200;
const TURNS = 3;
const SECONDS = 10;
const WARM_SECONDS = 4;
const NOBODY_MS = 16_000;
const ROUND_MS = 500;

const poolOf = (index: number) => `pool-${(index % POOLS) + 1}`;
const labelsOf = (pool: string): ServiceLabels => ({ role: "server", reports: false, heal: true, pool });

const cleanUps: (() => void | Promise<void>)[] = [];
const scope: Scope = inReverse({ after: (cleanUp) => void cleanUps.push(cleanUp) });
try {
  await measure(scope);
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
}

async function measure(scope: Scope): Promise<void> {
  const { tiers, members, balancerPort } = await startTiers(scope);
  const watch = new TrafficWatch(() => tiers);
  let round = 0;
  let slotStates = roundOf(round);
  const rounds = setInterval(() => {
    round += 1;
    slotStates = roundOf(round);
  }, ROUND_MS);
  scope.after(() => clearInterval(rounds));
  run(scope, "client/client", { BALANCER_URL: `http://127.0.0.1:${balancerPort}` }, [
    "7",
    "--rate",
    "50",
    "--duration",
    "10m",
  ]);
  const registry = { schema: 1 as const, version: 1, writtenAt: new Date(0).toISOString(), members };
  const state = () => ({ registry, slotStates, steps: [], failing: undefined });
  const port = await listening(scope, adminServer(apiApp({ state, traffic: () => watch.wanted() })), 0);
  const alone: number[] = [];
  const open: number[] = [];
  for (let turn = 0; turn < TURNS; turn += 1) {
    alone.push(await costOf());
    const stream = get({ port, path: "/page/events", agent: false }, (response) => void response.resume());
    await costOf(WARM_SECONDS);
    open.push(await costOf());
    stream.destroy();
    // Until nobody looks any more.
    await delay(NOBODY_MS);
  }
  const say = (text: string) => process.stdout.write(`${text}\n`);
  say(
    `${SERVERS} servers in ${POOLS} pools; processor time in ms/s, the median of ${TURNS} turns of ${SECONDS} s (least-most)`,
  );
  say(`the made-up rounds alone  ${spread(alone)}`);
  say(`with one page open        ${spread(open)}`);
  say(`so an open page costs ${((median(open) - median(alone)) / 10).toFixed(2)} % of a core`);
  if (whyNo("chromium") === false) say(await browserCost(scope, `http://127.0.0.1:${port}/`));
}

async function startTiers(scope: Scope) {
  const server = await origin(scope, (_request, response) => void response.end("here"));
  const servers = Array.from({ length: SERVERS }, (_, index) =>
    entry(`server-${index + 1}`, server.port, { pool: poolOf(index), group: String((index % 2) + 1) }),
  );
  const pools: RegistryPool[] = Array.from({ length: POOLS }, (_, index) => {
    return { name: poolOf(index), routes: [{ path: index === 0 ? "/" : `/${index}` }] };
  });
  const proxies = await Promise.all(
    ["1", "2"].map((GROUP) => startTier(scope, [], { ROLE: "proxy", ID: `proxy-${GROUP}`, GROUP })),
  );
  const entries = proxies.map(({ port, adminPort }, index) =>
    entry(`proxy-${index + 1}`, port, { adminPort, link: 1, group: String(index + 1) }),
  );
  const balancer = await startTier(scope, []);
  const members: RegistryMember[] = [...entries, ...servers];
  await Promise.all([balancer, ...proxies].map((tier) => tier.publish(members, pools)));
  const watched = (id: string, role: string, port: number) => ({ id, role, host: "127.0.0.1", port, generation: 1 });
  const tiers = [
    watched("balancer", "balancer", balancer.adminPort),
    ...proxies.map(({ adminPort }, index) => watched(`proxy-${index + 1}`, "proxy", adminPort)),
  ];
  const own: RegistryMember = { ...entry("balancer", balancer.port), role: "balancer" };
  return { tiers, members: [own, ...members], balancerPort: balancer.port };
}

/** In each round another server is dead, so that each is news. */
function roundOf(round: number): SlotState[] {
  const tiers = ["balancer", "proxy-1", "proxy-2"].map((id) => serving(id, { servesSinceMs: 1 }));
  const servers = Array.from({ length: SERVERS }, (_, index) => {
    const id = `server-${index + 1}`;
    const slot = { id, role: "server" as const, service: poolOf(index), labels: labelsOf(poolOf(index)) };
    return index === round % SERVERS
      ? slotState(id, { slot, found: exited(id), troubleSinceMs: 1 })
      : serving(id, { slot, found: running(id), servesSinceMs: 1 });
  });
  return [...tiers, ...servers];
}

/** @returns this process's processor time, in ms a second */
async function costOf(seconds = SECONDS): Promise<number> {
  const [before, startedMs] = [process.cpuUsage(), monotonicMs()];
  await delay(seconds * 1_000);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (monotonicMs() - startedMs);
}

function median(all: readonly number[]): number {
  return [...all].sort((one, other) => one - other)[Math.floor(all.length / 2)] ?? 0;
}

function spread(all: readonly number[]): string {
  return `${median(all).toFixed(1)} (${Math.min(...all).toFixed(1)}-${Math.max(...all).toFixed(1)})`;
}

async function browserCost(scope: Scope, url: string): Promise<string> {
  const { page, context } = await openPage(await openBrowser(scope), url, { scheme: "light", width: 1280 });
  await page.waitForSelector("#orders");
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  const busy = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  };
  await page.evaluate(`
    window.long = [];
    new PerformanceObserver((list) => window.long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
  `);
  const before = await busy();
  await delay(SECONDS * 1_000);
  const share = ((await busy()) - before) / SECONDS;
  const long = (await page.evaluate("window.long")) as number[];
  const most = long.length === 0 ? "none" : `${long.length}, the longest ${Math.round(Math.max(...long))} ms`;
  return `the browser's main thread         ${(share * 100).toFixed(1)} % busy; tasks over 50 ms: ${most}`;
}
