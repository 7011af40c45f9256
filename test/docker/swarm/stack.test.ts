// The stack of deploy/swarm on two real engines, under counted load: what people and Swarm do there, what fails, and what the watchdog asks
// its manager. One deployment for all of it, and each fact leaves it whole: `npm run test:swarm`. CAMPAIGN=full: the cuts last a minute, and
// faults in any order two minutes.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "../../tools/eventually.ts";
import { freePort } from "../../tools/ports.ts";
import { deployStack, type SwarmStage, swarmSkip as skip } from "../../tools/swarm/stage.ts";
import { asked } from "./asked.ts";
import { chaosFact } from "./chaos.ts";
import { engineLoss, losses } from "./losses.ts";
import { balancerUpdate, type StackFact, updates } from "./updates.ts";

async function bothNodesAnswer(_t: TestContext, stage: SwarmStage): Promise<void> {
  const nodes = new Map((await stage.tasks("server")).map(({ member, node }) => [member, node]));
  for (const { address, port } of [stage.at("own"), stage.at("other")]) {
    const seen = new Set<string | undefined>();
    await eventually(`servers of both nodes by way of ${address}`, async () => {
      const answer = await fetch(`http://${address}:${port}/`, { headers: { connection: "close" } });
      assert.equal(answer.status, 200);
      seen.add(nodes.get(((await answer.json()) as { server: string }).server));
      return seen.size === new Set(nodes.values()).size && seen.size === 2;
    });
  }
}

async function proxiesTakeLinks(_t: TestContext, stage: SwarmStage): Promise<void> {
  await eventually("both proxies take links, by their logs", async () => {
    const proxies = (await stage.members()).filter(({ role }) => role === "proxy");
    return proxies.length === 2 && proxies.every(({ link }) => link === 1);
  });
}

const facts: readonly StackFact[] = [
  ["each node answers on the balancer's port, by servers of both nodes", bothNodesAnswer],
  ["the proxies of both nodes take links, by what their logs say", proxiesTakeLinks],
  ...updates,
  ...losses,
  chaosFact,
  balancerUpdate,
  ...asked,
  engineLoss,
];

test("a stack on two nodes", { skip }, async (t) => {
  const stage = await deployStack(t, await freePort());
  for (const [name, show] of facts) await t.test(name, (t) => show(t, stage));
  t.diagnostic(await stage.watchdogLog());
});
