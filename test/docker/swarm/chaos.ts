// Faults in an order that nobody chose, one after another under one load: some of them, or with CAMPAIGN=full all kinds for two minutes.
// At the watchdog's side no GET fails, whatever comes, and of the POSTs those that were at what was lost.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { seeded } from "../../../watchdog/chaos/seeded.ts";
import { throughout } from "../../tools/eventually.ts";
import { timedLoad } from "../../tools/load/timed-load.ts";
import { cableOut, overlayDropped } from "../../tools/swarm/cuts.ts";
import type { StackTask, SwarmStage } from "../../tools/swarm/stage.ts";
import { nodeIsBack, type StackFact } from "./updates.ts";

const isFull = process.env.CAMPAIGN === "full";
const FULL_MS = 120_000;
const FAULTS_SHORT = 3;
const SERVED = 60;
/** Under way at a member, a link or a node when it is lost. */
const POSTS_PER_FAULT = 15;

type Fault = (t: TestContext, stage: SwarmStage, dice: () => number) => Promise<unknown>;

async function pick(stage: SwarmStage, services: readonly string[], dice: () => number): Promise<StackTask> {
  const tasks = await stage.tasks(services[Math.floor(dice() * services.length)] as string);
  return tasks[Math.floor(dice() * tasks.length)] as StackTask;
}

const faults: Readonly<Record<string, Fault>> = {
  "a task killed": async (_t, stage, dice) => stage.signal(await pick(stage, ["server", "app", "proxy"], dice), "KILL"),
  "a server hung": async (_t, stage, dice) => {
    const victim = await pick(stage, ["server"], dice);
    await stage.hang(victim, "STOP");
    await throughout(2_500, () => {});
    await stage.hang(victim, "CONT");
  },
  "the overlay cut": async (t, stage) => {
    const cut = await overlayDropped(t, stage.nodes.address);
    await throughout(4_000, () => {});
    await cut.mend();
  },
};

const longer: Readonly<Record<string, Fault>> = {
  "a node drained": async (_t, stage) => {
    await stage.availability(stage.nodes.other, "drain");
    await throughout(4_000, () => {});
    await stage.serves();
    await stage.availability(stage.nodes.other, "active");
    await nodeIsBack(stage);
  },
  "the cable out": async (t, stage) => {
    const cut = await cableOut(t, stage.nodes.address);
    await throughout(5_000, () => {});
    await cut.mend();
    await nodeIsBack(stage);
  },
};

async function chaos(t: TestContext, stage: SwarmStage): Promise<void> {
  const seed = Number(process.env.CHAOS_SEED ?? Math.floor(Math.random() * 1e9));
  const dice = seeded(seed);
  const load = timedLoad(t, [stage.at("own")], 100);
  const kinds = Object.entries(isFull ? { ...faults, ...longer } : faults);
  const begunMs = performance.now();
  const done: string[] = [];
  const goesOn = () => (isFull ? performance.now() - begunMs < FULL_MS : done.length < FAULTS_SHORT);
  while (goesOn()) {
    const [name, act] = kinds[Math.floor(dice() * kinds.length)] as [string, Fault];
    await load.more(SERVED);
    await act(t, stage, dice);
    done.push(name);
    await stage.serves();
  }
  await load.more(SERVED);
  await load.finish();
  t.diagnostic(`CHAOS_SEED=${seed}: ${done.join(", ")}; ${load.summary()}`);
  assert.deepEqual(
    load.failed(({ method }) => method === "GET"),
    [],
  );
  assert.ok(load.failed().length <= POSTS_PER_FAULT * done.length, load.failed().join("\n"));
}

export const chaosFact: StackFact = ["faults in any order fail no GET, and of the POSTs those under way", chaos];
