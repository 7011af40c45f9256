// What a round makes of a slot while steps come and go beside it: facts of timing that a real engine shows once in a while, on
// an engine whose answers come when the test says so.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSettings } from "../../services/runtime/config.ts";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { Observer } from "../../watchdog/observe/observer.ts";
import { OperatorOrders } from "../../watchdog/observe/operator-orders.ts";
import { StateFile } from "../../watchdog/observe/state-file.ts";
import { plan } from "../../watchdog/rules/plan.ts";
import { ASKED_FORGOTTEN_MS } from "../../watchdog/rules/stop-intent.ts";
import { recordedLog } from "../tools/log.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { exited, found, running, slotOf, stopped } from "../tools/watchdog/slot-states.ts";

const SLOT = slotOf("server-1");

/** An observer of one slot, with whatever is in it. */
async function stage(t: TestContext, list: () => Found[]) {
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  const read = readSettings({ ROLE: "watchdog", REGISTRY_FILE });
  assert.ok(read.ok);
  const discovery = { self: undefined, slots: async () => [SLOT], list: async () => list() };
  const stateFile = new StateFile(REGISTRY_FILE);
  const orders = new OperatorOrders(stateFile);
  const { settings } = read;
  const observer = new Observer({ discovery, settings, log: recordedLog().log, stateFile, orders, onNews: () => {} });
  /** A round of the watchdog that carries out no step. */
  const look = async () => (await observer.observe(() => new Set()))[0];
  return { observer, orders, look, stateFile, REGISTRY_FILE };
}

test("a slot whose step ends while a round looks is left alone in that round", async (t) => {
  let busy = new Set([SLOT.id]);
  const { observer } = await stage(t, () => {
    // As the engine had it a moment ago: the step has started it since, and is over.
    busy = new Set();
    return [{ ...found("server-1", { kind: "created" }), succeeds: "server-1#0" }];
  });
  const [slotState] = await observer.observe(() => busy);
  assert.equal(slotState?.healing, true);
  const [next] = await observer.observe(() => busy);
  assert.equal(next?.healing, false);
});

test("a member that is started while a round looks is left alone in that round, however dead it was listed", async (t) => {
  let starts = true;
  const { observer, look } = await stage(t, () => {
    // The listing is on its way when the word of the start comes.
    if (starts) observer.event({ kind: "started", instance: "server-1#1", engineMs: Date.now() });
    return [exited("server-1")];
  });
  assert.equal((await look())?.healing, true);
  starts = false;
  assert.equal((await look())?.healing, false);
});

test("what is told late is as old as it is", async (t) => {
  const { observer, look } = await stage(t, () => [running("server-1")]);
  await look();
  const told = { instance: "server-1#1", engineMs: Date.now() };
  const intentAfterTerm = async (agoMs?: number) => {
    observer.event({ kind: "signalled", signal: "TERM", ...told, ...(agoMs === undefined ? {} : { agoMs }) });
    return (await look())?.intent?.kind;
  };
  assert.equal(await intentAfterTerm(), "asked");
  assert.equal(await intentAfterTerm(ASKED_FORGOTTEN_MS), undefined);
});

test("a slot that was never seen filled is started once, and backed off from when that fails", async (t) => {
  const { observer, look } = await stage(t, () => []);
  const now = async () => (await look())?.restart;
  observer.healBegun(SLOT.id);
  const first = await now();
  observer.healBegun(SLOT.id);
  const second = await now();
  assert.ok(first?.kind === "normal" && first.score === 0);
  assert.ok(second?.kind === "normal" && second.score === 1);
});

test("trouble begins with the death that was heard of, and is over with a new run", async (t) => {
  const runs = (sinceMs: number) => found("server-1", { kind: "running", sinceMs });
  let member = runs(1);
  const { observer, look } = await stage(t, () => [member]);
  await look();
  observer.event({ kind: "died", instance: "server-1#1", engineMs: Date.now() });
  const heardMs = observer.troubleSinceMs(SLOT.id) as number;
  member = exited("server-1");
  await look();
  assert.equal(observer.troubleSinceMs(SLOT.id), heardMs);
  member = runs(Date.now());
  await look();
  assert.ok((observer.troubleSinceMs(SLOT.id) as number) >= heardMs);
});

test("a hold forgets an order, and an order is kept until it is carried out", async (t) => {
  const { orders, look } = await stage(t, () => []);
  orders.heal(SLOT.id);
  assert.equal((await look())?.ordered, true);
  orders.hold(SLOT.id);
  const held = await look();
  assert.deepEqual([held?.ordered, held?.held !== undefined], [false, true]);
  orders.release(SLOT.id);
  assert.equal((await look())?.held, undefined);
});

test("a member whose deliberate stop an older version wrote down is left alone by this one", async (t) => {
  const { observer, look, stateFile, REGISTRY_FILE } = await stage(t, () => [exited("server-1")]);
  const written = { wishes: { "server-1#1": stopped }, fillings: {}, restarts: {}, holds: {} };
  await writeFile(join(dirname(REGISTRY_FILE), "watchdog.json"), JSON.stringify(written));
  await stateFile.open();
  observer.open();
  const slotState = await look();
  assert.deepEqual(slotState?.intent, stopped);
  assert.deepEqual(plan([slotState], { missedMax: 2, startTimeoutMs: 30_000 }, Date.now()), []);
});
