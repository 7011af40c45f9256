// What a round makes of a slot while steps come and go beside it: facts of timing that a real engine shows once in a while, on
// an engine whose answers come when the test says so.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readSettings } from "../../services/runtime/config.ts";
import type { Discovery, Found } from "../../watchdog/engines/discovery.ts";
import { History } from "../../watchdog/observe/observer.ts";
import { ASKED_FORGOTTEN_MS } from "../../watchdog/rules/stop-intent.ts";
import { recordedLog } from "../tools/log.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { exited, found, running, slotOf } from "../tools/slot-states.ts";

const SLOT = slotOf("server-1");

async function historyOf(t: TestContext): Promise<History> {
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  const read = readSettings({ ROLE: "watchdog", REGISTRY_FILE });
  assert.ok(read.ok);
  return new History(read.settings, recordedLog().log, () => {});
}

/** Of one slot, with whatever is in it. */
const discoveryWith = (list: () => Found[]) =>
  ({ slots: async () => [SLOT], list: async () => list() }) as unknown as Discovery;

/** A round of the watchdog that carries out no step. */
const look = async (history: History, list: () => Found[]) =>
  (await history.observe(discoveryWith(list), () => new Set()))[0];

test("a slot whose step ends while a round looks is left alone in that round", async (t) => {
  const history = await historyOf(t);
  let busy = new Set([SLOT.id]);
  const discovery = discoveryWith(() => {
    // As the engine had it a moment ago: the step has started it since, and is over.
    busy = new Set();
    return [{ ...found("server-1", { kind: "created" }), succeeds: "server-1#0" }];
  });
  const [slotState] = await history.observe(discovery, () => busy);
  assert.equal(slotState?.healing, true);
  const [next] = await history.observe(discovery, () => busy);
  assert.equal(next?.healing, false);
});

test("a member that is started while a round looks is left alone in that round, however dead it was listed", async (t) => {
  const history = await historyOf(t);
  let starts = true;
  const discovery = discoveryWith(() => {
    // The listing is on its way when the word of the start comes.
    if (starts) history.event({ kind: "started", instance: "server-1#1", engineMs: Date.now() });
    return [exited("server-1")];
  });
  const [slotState] = await history.observe(discovery, () => new Set());
  assert.equal(slotState?.healing, true);
  starts = false;
  const [next] = await history.observe(discovery, () => new Set());
  assert.equal(next?.healing, false);
});

test("what is told late is as old as it is", async (t) => {
  const history = await historyOf(t);
  const discovery = discoveryWith(() => [running("server-1")]);
  await history.observe(discovery, () => new Set());
  const told = { instance: "server-1#1", engineMs: Date.now() };
  const intentAfterTerm = async (agoMs?: number) => {
    history.event({ kind: "signalled", signal: "TERM", ...told, ...(agoMs === undefined ? {} : { agoMs }) });
    return (await history.observe(discovery, () => new Set()))[0]?.intent?.kind;
  };
  assert.equal(await intentAfterTerm(), "asked");
  assert.equal(await intentAfterTerm(ASKED_FORGOTTEN_MS), undefined);
});

test("a slot that was never seen filled is started once, and backed off from when that fails", async (t) => {
  const history = await historyOf(t);
  const now = async () => (await look(history, () => []))?.restart;
  history.healBegun(SLOT.id);
  const first = await now();
  history.healBegun(SLOT.id);
  const second = await now();
  assert.ok(first?.kind === "normal" && first.score === 0);
  assert.ok(second?.kind === "normal" && second.score === 1);
});

test("trouble begins with the death that was heard of, and is over with a new run", async (t) => {
  const history = await historyOf(t);
  const runs = (sinceMs: number) => [found("server-1", { kind: "running", sinceMs })];
  await look(history, () => runs(1));
  history.event({ kind: "died", instance: "server-1#1", engineMs: Date.now() });
  const heardMs = history.troubleSinceMs(SLOT.id) as number;
  await look(history, () => [exited("server-1")]);
  assert.equal(history.troubleSinceMs(SLOT.id), heardMs);
  await look(history, () => runs(Date.now()));
  assert.ok((history.troubleSinceMs(SLOT.id) as number) >= heardMs);
});

test("a hold forgets an order, and an order is kept until it is carried out", async (t) => {
  const history = await historyOf(t);
  const now = () => look(history, () => []);
  history.order(SLOT.id);
  assert.equal((await now())?.ordered, true);
  history.hold(SLOT.id);
  const held = await now();
  assert.deepEqual([held?.ordered, held?.held !== undefined], [false, true]);
  history.release(SLOT.id);
  assert.equal((await now())?.held, undefined);
});
