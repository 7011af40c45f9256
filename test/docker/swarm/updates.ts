// What people and Swarm do on purpose: a node drained, services updated, a balancer replaced. None of it may cost a request, but for those
// that find a balancer's port closed in between.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { eventually } from "../../tools/eventually.ts";
import { timedLoad } from "../../tools/load/timed-load.ts";
import { watchReadiness } from "../../tools/swarm/readiness.ts";
import type { StackTask, SwarmStage } from "../../tools/swarm/stage.ts";
import { followStack, type Timeline } from "../../tools/swarm/timeline.ts";

export type StackFact = readonly [name: string, show: (t: TestContext, stage: SwarmStage) => Promise<void>];

const SERVED = 60;
const ROLLS_OF_APP = 3;

/** As a tier on this machine sees it. */
export async function timelineOf(t: TestContext, stage: SwarmStage): Promise<Timeline> {
  const { own, other } = stage.nodes;
  const front = (await stage.tasks("balancer")).find(({ node }) => node === own) as StackTask;
  const container = await stage.container(front);
  return followStack(t, { container, engines: [stage.engine(own), stage.engine(other)] });
}

/** Until the node takes tasks again, and has its balancer. */
export async function nodeIsBack(stage: SwarmStage): Promise<void> {
  await eventually("both nodes have a balancer", async () => (await stage.tasks("balancer")).length === 2, 60_000);
  await stage.serves();
}

async function nodeDrained(t: TestContext, stage: SwarmStage): Promise<void> {
  const { other } = stage.nodes;
  const load = timedLoad(t, [stage.at("own"), stage.at("own", "/app")], 100);
  await load.more(SERVED);
  await stage.availability(other, "drain");
  const left = async () => (await stage.tasks("server")).every(({ node }) => node !== other);
  await eventually("Swarm has heard it", left, 30_000);
  await stage.serves();
  await load.more(SERVED);
  await load.finish();
  t.diagnostic(load.summary());
  assert.deepEqual(load.failed(), []);
  await stage.availability(other, "active");
  await nodeIsBack(stage);
}

async function servicesUpdated(t: TestContext, stage: SwarmStage): Promise<void> {
  const timeline = await timelineOf(t, stage);
  const app = timedLoad(t, [stage.at("own", "/app"), stage.at("other", "/app")], 150);
  const servers = timedLoad(t, [stage.at("own"), stage.at("other")], 50);
  await app.more(SERVED);
  const replaced: StackTask[] = await stage.tasks("server");
  const rollApp = async () => {
    for (let count = 0; count < ROLLS_OF_APP; count += 1) {
      replaced.push(...(await stage.tasks("app")));
      await stage.roll("app");
    }
  };
  const over = new AbortController();
  const shown = shownRolls(stage, over.signal);
  await Promise.all([stage.roll("server").finally(() => over.abort()), rollApp()]);
  assert.ok(
    (await shown).some((rolled) => rolled > 0),
    "an update is shown with some of its tasks new",
  );
  await stage.serves();
  await app.more(SERVED);
  for (const load of [app, servers]) t.diagnostic((await load.finish()).summary());
  assert.deepEqual([...app.failed(), ...servers.failed()], []);
  t.diagnostic(
    `told before their SIGTERM, by the tasks: ${noticesOf(replaced, timeline).sort(byNumber).join(", ")} ms`,
  );
}

/** How many of the servers were new, in each look while they were updated. */
async function shownRolls(stage: SwarmStage, over: AbortSignal): Promise<number[]> {
  const seen: number[] = [];
  while (!over.aborted) {
    const roll = (await stage.rolls()).find(({ service }) => service === "server");
    if (roll?.phase === "rolling") seen.push(roll.rolled);
  }
  return seen;
}

const byNumber = (one: number, other: number) => one - other;

/** How long before its SIGTERM each was draining in the registry. */
function noticesOf(tasks: readonly StackTask[], timeline: Timeline): number[] {
  return tasks.map(({ id, member }) => {
    const signalled = timeline.terminated.find(({ task }) => task === id);
    assert.ok(signalled, `${member} was sent SIGTERM`);
    const drainedMs = timeline.firstMs(member, "draining");
    assert.ok(drainedMs !== undefined && drainedMs < signalled.atMs, `${member} drained before its SIGTERM`);
    return Math.round(signalled.atMs - drainedMs);
  });
}

async function balancersUpdated(t: TestContext, stage: SwarmStage): Promise<void> {
  const fronts = await stage.tasks("balancer");
  const own = fronts.find(({ node }) => node === stage.nodes.own) as StackTask;
  const readiness = await watchReadiness(t, await stage.container(own));
  const load = timedLoad(t, [stage.at("own"), stage.at("other")], 100);
  await load.more(SERVED);
  await stage.roll("balancer");
  await stage.serves();
  await load.more(SERVED);
  await load.finish();
  const gaps = [stage.at("own"), stage.at("other")].map(({ address }) => {
    const failed = load.requests.filter((one) => one.address === address && one.failure !== undefined);
    const times = failed.map(({ atMs }) => atMs);
    return { count: failed.length, fromMs: Math.min(...times), toMs: Math.max(...times) };
  });
  for (const { count, fromMs, toMs } of gaps) t.diagnostic(`${count} failed within ${Math.round(toMs - fromMs)} ms`);
  const [first, second] = gaps.sort((one, other) => one.fromMs - other.fromMs);
  // While one node has none, the other one serves.
  assert.ok(first && second && (first.count === 0 || second.count === 0 || first.toMs < second.fromMs));
  const refusals = load.requests.flatMap(({ failure }) => (failure?.startsWith("503") ? [failure] : []));
  assert.deepEqual(refusals, []);
  const notReadyMs = readiness.firstNotReadyMs;
  assert.ok(notReadyMs !== undefined, "its /readyz was 503 before it was gone");
  const closedMs = load.requests.find((one) => one.address === "127.0.0.1" && one.failure !== undefined)?.atMs;
  assert.ok(closedMs === undefined || notReadyMs < closedMs, "not ready before its port closed");
  if (closedMs !== undefined) t.diagnostic(`not ready ${Math.round(closedMs - notReadyMs)} ms before its port closed`);
}

export const updates: readonly StackFact[] = [
  ["a node that is drained costs no request at the other one", nodeDrained],
  [
    "updates of the servers and of an app that dies at SIGTERM cost none, and each task was draining first",
    servicesUpdated,
  ],
];

export const balancerUpdate: StackFact = [
  "a balancer that is replaced was not ready before its port closed, and refuses nothing when it is back",
  balancersUpdated,
];
