// What fails on a stack: tasks killed and hung, the overlay cut, the cable out, an engine or the watchdog killed. No GET fails, and of the
// POSTs those that were at a task when it was lost; times are told and not judged.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { throughout } from "../../tools/eventually.ts";
import { type TimedLoad, timedLoad, wallMs } from "../../tools/load/timed-load.ts";
import { cableOut, overlayDropped } from "../../tools/swarm/cuts.ts";
import type { StackTask, SwarmStage } from "../../tools/swarm/stage.ts";
import { nodeIsBack, type StackFact, timelineOf } from "./updates.ts";

const SERVED = 60;
/** From the last word of the registry to the last request that a tier sent by the one before. */
const ADOPTED_WITHIN_MS = 1_000;
const CUT_MS = process.env.CAMPAIGN === "full" ? 60_000 : 8_000;
const CABLE_MS = process.env.CAMPAIGN === "full" ? 40_000 : 8_000;

/** No GET failed, and no POST that began when the lost members were out of traffic. */
function assertOnlyLost(load: TimedLoad, outMs: number): void {
  assert.deepEqual(
    load.failed(({ method, atMs }) => method === "GET" || atMs > outMs + ADOPTED_WITHIN_MS),
    [],
  );
}

async function tasksKilled(t: TestContext, stage: SwarmStage): Promise<void> {
  const timeline = await timelineOf(t, stage);
  const load = timedLoad(t, [stage.at("own"), stage.at("other")], 100);
  await load.more(SERVED);
  const tasks = await stage.tasks("server");
  let outMs = 0;
  for (const node of [stage.nodes.own, stage.nodes.other]) {
    const victim = tasks.find((task) => task.node === node) as StackTask;
    const killedMs = wallMs();
    await stage.signal(victim, "KILL");
    outMs = await timeline.noneServes([victim.member], killedMs);
    await stage.serves();
    const [, number] = /-(\d+)\./.exec(victim.member) ?? [];
    const successor = (await stage.tasks("server")).find(({ member }) => member.startsWith(`server-${number}.`));
    const servedMs = timeline.firstMs(successor?.member ?? "", "serving") ?? Number.NaN;
    t.diagnostic(
      `${node}: out after ${Math.round(outMs - killedMs)} ms, served again after ${Math.round(servedMs - killedMs)} ms`,
    );
  }
  await load.more(SERVED);
  t.diagnostic((await load.finish()).summary());
  assertOnlyLost(load, outMs);
}

async function serverHung(t: TestContext, stage: SwarmStage): Promise<void> {
  const timeline = await timelineOf(t, stage);
  const load = timedLoad(t, [stage.at("own"), stage.at("other")], 100);
  await load.more(SERVED);
  const victim = (await stage.tasks("server"))[0] as StackTask;
  const hungMs = wallMs();
  await stage.hang(victim, "STOP");
  const outMs = await timeline.noneServes([victim.member], hungMs);
  await load.more(SERVED);
  await stage.hang(victim, "CONT");
  t.diagnostic(`out of traffic after ${Math.round(outMs - hungMs)} ms`);
  await stage.serves();
  t.diagnostic((await load.finish()).summary());
  assertOnlyLost(load, outMs);
}

async function overlayCut(t: TestContext, stage: SwarmStage): Promise<void> {
  const { other, address } = stage.nodes;
  const timeline = await timelineOf(t, stage);
  const load = timedLoad(t, [stage.at("own"), stage.at("other")], 100);
  await load.more(SERVED);
  const behind = (await Promise.all(["proxy", "server", "app"].map((service) => stage.tasks(service)))).flat();
  const cutMs = wallMs();
  const cut = await overlayDropped(t, address);
  const lost = behind.filter(({ node }) => node === other).map(({ member }) => member);
  const outMs = await timeline.noneServes(lost, cutMs);
  await throughout(CUT_MS, () => {});
  const mendedMs = wallMs();
  await cut.mend();
  await stage.serves();
  const backMs = Math.max(...lost.map((member) => timeline.firstMs(member, "serving", mendedMs) ?? Number.NaN));
  t.diagnostic(
    `all beyond the cut out after ${Math.round(outMs - cutMs)} ms, whole again after ${Math.round(backMs - mendedMs)} ms`,
  );
  await load.finish();
  for (const { address: at } of [stage.at("own"), stage.at("other")]) {
    t.diagnostic(`${at}: ${load.summary((one) => one.address === at)}`);
    t.diagnostic(
      `${at}, begun 2 s after the cut: ${load.summary((one) => one.address === at && one.atMs > cutMs + 2_000)}`,
    );
  }
  assert.deepEqual(
    load.failed(({ atMs }) => atMs > cutMs + 2_000),
    [],
  );
}

/** Two servers stay on this machine, and four are on the other one. */
async function mostOnTheOther(stage: SwarmStage): Promise<void> {
  const { own } = stage.nodes;
  await stage.scale("server", 4);
  await stage.serves();
  await stage.availability(own, "pause");
  await stage.scale("server", 6);
  await stage.serves();
  await stage.availability(own, "active");
}

async function cablePulled(t: TestContext, stage: SwarmStage): Promise<void> {
  const { other, address } = stage.nodes;
  await mostOnTheOther(stage);
  const servers = await stage.tasks("server");
  t.diagnostic(`${servers.filter(({ node }) => node === other).length} of ${servers.length} servers on the lost node`);
  const timeline = await timelineOf(t, stage);
  const load = timedLoad(t, [stage.at("own")], 100);
  await load.more(SERVED);
  const lost = servers.filter(({ node }) => node === other).map(({ member }) => member);
  const cutMs = wallMs();
  const cut = await cableOut(t, address);
  const outMs = await timeline.noneServes(lost, cutMs);
  await throughout(CABLE_MS, () => {});
  await load.finish();
  await cut.mend();
  t.diagnostic(`all ${lost.length} out after ${Math.round(outMs - cutMs)} ms`);
  t.diagnostic(load.summary());
  t.diagnostic(`begun 2 s after it: ${load.summary(({ atMs }) => atMs > cutMs + 2_000)}`);
  assertOnlyLost(load, outMs);
  await nodeIsBack(stage);
}

async function engineKilled(t: TestContext, stage: SwarmStage): Promise<void> {
  await stage.scale("server", 3);
  await stage.serves();
  // The new ones come where there are few.
  await stage.scale("server", 6);
  await stage.serves();
  const timeline = await timelineOf(t, stage);
  const { other } = stage.nodes;
  const tasks = (await Promise.all(["server", "app"].map((service) => stage.tasks(service)))).flat();
  const left = tasks.filter(({ node }) => node === other).map(({ member }) => member);
  const load = timedLoad(t, [stage.at("own"), stage.at("other")], 100);
  await load.more(SERVED);
  const killedMs = wallMs();
  await stage.killEngine();
  const outMs = await timeline.noneServes(left, killedMs);
  await load.more(5 * SERVED);
  await load.finish();
  t.diagnostic(`its ${left.length} servers were let go after ${Math.round(outMs - killedMs)} ms`);
  const own = stage.at("own").address;
  t.diagnostic(load.summary(({ address, atMs }) => address === own || atMs < outMs - ADOPTED_WITHIN_MS));
  t.diagnostic(
    `by way of the lost node, from then on: ${load.summary(({ address, atMs }) => address !== own && atMs > outMs)}`,
  );
  // With its engine gone the overlay forgets that node, whose balancer says by then that it is not ready.
  assert.deepEqual(
    load.failed(({ address, atMs }) => address === own || atMs < outMs - ADOPTED_WITHIN_MS),
    [],
  );
}

async function watchdogKilled(t: TestContext, stage: SwarmStage): Promise<void> {
  const timeline = await timelineOf(t, stage);
  const load = timedLoad(t, [stage.at("own"), stage.at("other")], 100);
  await load.more(SERVED);
  const [watchdog] = await stage.tasks("watchdog");
  const killedMs = wallMs();
  await stage.signal(watchdog as StackTask, "KILL");
  const nextMs = await timeline.nextMs(killedMs);
  t.diagnostic(`the next document came after ${Math.round(nextMs - killedMs)} ms`);
  await load.more(SERVED);
  t.diagnostic((await load.finish()).summary());
  assert.deepEqual(load.failed(), []);
  timeline.assertGrowing();
  await stage.serves();
}

export const losses: readonly StackFact[] = [
  ["tasks that are killed, on either node, cost no GET, and their successors serve", tasksKilled],
  ["a server that hangs costs no GET, and of the POSTs what it had", serverHung],
  ["when the overlay is cut, each node goes on with its own side", overlayCut],
  ["when the cable is out, and most servers behind it, no GET fails", cablePulled],
  ["a watchdog that is killed costs nothing, and the next one is believed", watchdogKilled],
];

/** The last of all: nobody brings it back. */
export const engineLoss: StackFact = ["an engine that is killed costs nothing", engineKilled];
