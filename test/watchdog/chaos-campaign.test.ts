// One fault after another against a watchdog's state that a test writes: when a slot counts as recovered, and that what was
// stopped or paused is reverted whatever becomes of the rest. The faults themselves are done in chaos.test.ts.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { SlotRow, StateDocument } from "../../watchdog/api/schema.ts";
import { Campaign, type CampaignPlan } from "../../watchdog/chaos/campaign.ts";
import type { FaultKind, InjectedFault } from "../../watchdog/chaos/injected-fault.ts";
import { seeded } from "../../watchdog/chaos/seeded.ts";
import { Slots } from "../../watchdog/chaos/slots.ts";
import { eventually } from "../tools/eventually.ts";
import { origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";

type Changing<Row> = { -readonly [Field in keyof Row]: Row[Field] };

const row = (slot: string): Changing<SlotRow> => ({
  slot,
  role: slot.split("-")[0] as SlotRow["role"],
  group: "1",
  life: "running",
  state: "serving",
  address: null,
  generation: 3,
  instance: `${slot}#1`,
  pid: null,
  held: false,
  paused: false,
  weight: null,
  missed: 0,
  restarts: { kind: "normal" },
  step: null,
});

/** The state of a proxy and two servers, either of which may be hit; what is changed is shown at the next look. */
async function stage(t: TestContext) {
  const rows = [row("proxy-1"), row("server-1"), row("server-2")];
  const registry = { version: 42, writtenAt: "2026-11-22T12:00:00.000Z" };
  const shown = () => JSON.stringify({ registry, slots: rows, failing: null } satisfies StateDocument);
  const { port } = await origin(t, (_request, response) => void response.end(shown()));
  const slots = new Slots(new URL(`http://${HOST}:${port}`));
  await slots.open();
  t.after(() => slots.close());
  return { rows, slots };
}

async function seen(slots: Slots, is: (row: SlotRow) => boolean): Promise<void> {
  const stop = new AbortController().signal;
  assert.notEqual(await slots.shows("server-1", { is, limitMs: 10_000, stop }), undefined);
}

const once = { everyMs: 100, durationMs: 100, random: seeded(1), stop: new AbortController().signal };

function campaign(slots: Slots, kind: FaultKind, fault: () => InjectedFault, changes: Partial<CampaignPlan> = {}) {
  const injector = { kinds: [kind], engine: "a test's", prepare: async () => fault() };
  const scope = { kinds: [kind], roles: ["server"] } as const;
  return new Campaign(
    { ...once, scope, ...changes },
    { injector, slots, lastFailureMs: () => undefined, onRecord: () => {} },
  );
}

test("a killed slot has recovered when a new filling of it serves, and not while the old one seems to", async (t) => {
  const { rows, slots } = await stage(t);
  let killed = false;
  const inject = async () => {
    killed = true;
  };
  let over = false;
  const run = campaign(slots, "kill", () => ({ inject })).run();
  const ended = run.then(() => {
    over = true;
  });
  await eventually("the kill", () => killed);
  await seen(slots, ({ generation }) => generation === 3);
  for (const each of rows) Object.assign(each, { generation: 4, state: "starting" });
  await seen(slots, ({ state }) => state === "starting");
  assert.equal(over, false);
  for (const each of rows) each.state = "serving";
  await ended;
  const { records, passedOver } = await run;
  assert.deepEqual([records.length, passedOver, records[0]?.recovery.kind], [1, 0, "recovered"]);
});

test("a paused slot has recovered when it serves again as it was", async (t) => {
  const { rows, slots } = await stage(t);
  const set = (life: SlotRow["life"], state: SlotRow["state"]) => {
    for (const each of rows) Object.assign(each, { life, state });
  };
  const inject = async () => set("paused", "down");
  const revert = async () => set("running", "serving");
  const { records } = await campaign(slots, "pause", () => ({ inject, revert })).run();
  assert.equal(records[0]?.recovery.kind, "recovered");
});

test("a stop that failed is reverted all the same, and is no fault that was done", async (t) => {
  const { slots } = await stage(t);
  let reverted = 0;
  const inject = async () => {
    throw new Error("the engine did not answer");
  };
  const revert = async () => {
    reverted += 1;
  };
  const { records } = await campaign(slots, "stop", () => ({ inject, revert })).run();
  assert.deepEqual([reverted, records[0]?.recovery], [1, { kind: "not-done", reason: "the engine did not answer" }]);
});

test("ended early, what is stopped is started at once, again when that fails, and recovery is not waited for", async (t) => {
  const { slots } = await stage(t);
  const stop = new AbortController();
  let tried = 0;
  const revert = async () => {
    tried += 1;
    if (tried < 2) throw new Error("the engine restarts");
  };
  const inject = async () => stop.abort();
  const { records } = await campaign(slots, "stop", () => ({ inject, revert }), { stop: stop.signal }).run();
  assert.deepEqual([tried, records[0]?.recovery], [2, { kind: "not-awaited" }]);
});

test("whatever cannot be reverted is said to be left", async (t) => {
  const { slots } = await stage(t);
  const revert = async () => {
    throw new Error("no engine");
  };
  const { records } = await campaign(slots, "stop", () => ({ inject: revert, revert })).run();
  assert.deepEqual(records[0]?.recovery, { kind: "left", reason: "no engine" });
});

test("nothing is done on the word of a watchdog that has fallen silent", async (t) => {
  const { rows, slots } = await stage(t);
  rows.length = 0;
  Object.assign(rows, { toJSON: () => "no state" });
  await eventually("what was seen is stale", () => slots.rows.length === 0);
  const inject = () => assert.fail("a fault");
  const { records, passedOver } = await campaign(slots, "kill", () => ({ inject })).run();
  assert.deepEqual([records, passedOver], [[], 1]);
});

test("whatever is no watchdog is refused in one line", async (t) => {
  const { port } = await origin(t, (_request, response) => void response.end("{}"));
  const url = (port: number) => new URL(`http://${HOST}:${port}`);
  await assert.rejects(
    new Slots(url(port)).open(),
    /^\S+: cannot read \S+ \(it does not answer as a watchdog\): start the/,
  );
  await assert.rejects(
    new Slots(url(await freePort())).open(),
    /^\S+: cannot read \S+ \(ECONNREFUSED\): start the system/,
  );
});
