// Who gets how much of ten thousand requests through both tiers: even shares, weights, and clients that are bound. The registry is grouped
// and weighted by the watchdog's own rules.

import assert from "node:assert/strict";
import { Agent } from "node:http";
import { before, test } from "node:test";
import type { RegistryMember } from "../../services/registry/document.ts";
import { withGroups } from "../../watchdog/rules/groups.ts";
import { ask } from "../tools/http/ask.ts";
import { named, type Origin } from "../tools/http/origin.ts";
import { startTwoTiers, type TierProcess } from "../tools/process/tiers.ts";
import { entry } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const REQUESTS = 10_000;
const CLIENTS = 100;
/** Chance takes a share further from what is expected once in two million times. */
const SIGMAS = 5;

const scope = fileScope();
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
let servers: Origin[];
let balancer: TierProcess;
let proxies: TierProcess[];

before(async () => {
  servers = await Promise.all([1, 2, 3, 4, 5, 6].map((number) => named(scope, `app-${number}`)));
  ({ balancer, proxies } = await startTwoTiers(scope, [], { proxies: 2, environment: { STICKY_COOKIE: "route" } }));
  scope.after(async () => agent.destroy());
});

/** Six servers with these weights, among two proxies. */
async function weigh(...weights: readonly number[]): Promise<void> {
  const tiers = proxies.map(({ port, adminPort }, index) => entry(`proxy-${index + 1}`, port, { adminPort, link: 1 }));
  const members = servers.map(({ port }, index) => entry(`app-${index + 1}`, port, { weight: weights[index] ?? 1 }));
  const grouped: RegistryMember[] = withGroups([...tiers, ...members], new Map());
  for (const tier of [...proxies, balancer]) await tier.publish(grouped);
}

async function countsOf(send: (index: number) => Promise<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let next = 0;
  const client = async () => {
    while (next < REQUESTS) {
      next += 1;
      const server = await send(next - 1);
      counts.set(server, (counts.get(server) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 8 }, client));
  return counts;
}

const anybody = async () => (await ask(balancer.port, { agent })).body;

function assertShares(counts: ReadonlyMap<string, number>, weights: readonly number[]): void {
  const sum = weights.reduce((before, weight) => before + weight, 0);
  for (const [index, weight] of weights.entries()) {
    const share = weight / sum;
    const wanted = REQUESTS * share;
    const allowed = SIGMAS * Math.sqrt(REQUESTS * share * (1 - share));
    const had = counts.get(`app-${index + 1}`) ?? 0;
    assert.ok(Math.abs(had - wanted) <= allowed, `app-${index + 1} had ${had} of ${wanted}`);
  }
}

test("six servers have a sixth each", async () => {
  await weigh();
  assertShares(await countsOf(anybody), [1, 1, 1, 1, 1, 1]);
});

test("each has its weight's share of all, also beside others in its group; weight 0 has nothing", async () => {
  const weights = [3, 1, 1, 2, 0, 1];
  await weigh(...weights);
  assertShares(await countsOf(anybody), weights);
});

test("a hundred clients that are bound stay where they are, and are shared evenly enough", async () => {
  await weigh();
  const bonds = await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      const { headers, body } = await ask(balancer.port);
      const cookie = (headers["set-cookie"] ?? []).map((each) => each.split(";", 1)[0]).join("; ");
      return { cookie, server: body };
    }),
  );
  let moved = 0;
  await countsOf(async (index) => {
    const { cookie, server } = bonds[index % CLIENTS] as (typeof bonds)[number];
    const { body } = await ask(balancer.port, { agent, headers: { cookie } });
    if (body !== server) moved += 1;
    return body;
  });
  assert.equal(moved, 0);
  assert.equal(new Set(bonds.map(({ server }) => server)).size, 6);
});
