// One fault after another against a watchdog's state that a test writes: when a slot counts as recovered, and that what was
// stopped or paused is made good whatever becomes of the rest. The faults themselves are done in chaos.test.ts.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Campaign, type Terms } from "../../watchdog/chaos/campaign.ts";
import type { Fault, FaultKind } from "../../watchdog/chaos/faults.ts";
import { seeded } from "../../watchdog/chaos/seeded.ts";
import { type SlotRow, Slots } from "../../watchdog/chaos/slots.ts";
import { eventually } from "../tools/eventually.ts";
import { origin } from "../tools/http/origin.ts";
import { freePort, HOST } from "../tools/ports.ts";

interface Row {
  slot: string;
  role: string;
  group: string;
  life: string;
  state: string;
  address: null;
  generation: number | null;
}

const row = (slot: string): Row => {
  return {
    slot,
    role: slot.split("-")[0] as string,
    group: "1",
    life: "running",
    state: "serving",
    address: null,
    generation: 3,
  };
};

/** The state of a proxy and two servers, either of which may be hit; what is changed is shown at the next look. */
async function stage(t: TestContext) {
  const rows = [row("proxy-1"), row("server-1"), row("server-2")];
  const { port } = await origin(t, (_request, response) => void response.end(JSON.stringify({ slots: rows })));
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

function campaign(slots: Slots, kind: FaultKind, fault: () => Fault, terms: Partial<Terms> = {}) {
  const faults = { kinds: [kind], engine: "a test's", prepare: async () => fault() };
  const rules = { kinds: [kind], roles: ["server"] } as const;
  return new Campaign(
    { ...once, rules, ...terms },
    { faults, slots, lastFailureMs: () => undefined, onRecord: () => {} },
  );
}

test("a killed slot has recovered when a new filling of it serves, and not while the old one seems to", async (t) => {
  const { rows, slots } = await stage(t);
  let killed = false;
  const inflict = async () => {
    killed = true;
  };
  let over = false;
  const run = campaign(slots, "kill", () => ({ inflict })).run();
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
  const set = (life: string, state: string) => {
    for (const each of rows) Object.assign(each, { life, state });
  };
  const inflict = async () => set("paused", "down");
  const undo = async () => set("running", "serving");
  const { records } = await campaign(slots, "pause", () => ({ inflict, undo })).run();
  assert.equal(records[0]?.recovery.kind, "recovered");
});

test("a stop that failed is made good all the same, and is no fault that was done", async (t) => {
  const { slots } = await stage(t);
  let undone = 0;
  const inflict = async () => {
    throw new Error("the engine did not answer");
  };
  const undo = async () => {
    undone += 1;
  };
  const { records } = await campaign(slots, "stop", () => ({ inflict, undo })).run();
  assert.deepEqual([undone, records[0]?.recovery], [1, { kind: "not-done", reason: "the engine did not answer" }]);
});

test("ended early, what is stopped is started at once, again when that fails, and recovery is not waited for", async (t) => {
  const { slots } = await stage(t);
  const stop = new AbortController();
  let tried = 0;
  const undo = async () => {
    tried += 1;
    if (tried < 2) throw new Error("the engine restarts");
  };
  const inflict = async () => stop.abort();
  const { records } = await campaign(slots, "stop", () => ({ inflict, undo }), { stop: stop.signal }).run();
  assert.deepEqual([tried, records[0]?.recovery], [2, { kind: "not-awaited" }]);
});

test("whatever cannot be made good is said to be left", async (t) => {
  const { slots } = await stage(t);
  const undo = async () => {
    throw new Error("no engine");
  };
  const { records } = await campaign(slots, "stop", () => ({ inflict: undo, undo })).run();
  assert.deepEqual(records[0]?.recovery, { kind: "left", reason: "no engine" });
});

test("nothing is done on the word of a watchdog that has fallen silent", async (t) => {
  const { rows, slots } = await stage(t);
  rows.length = 0;
  Object.assign(rows, { toJSON: () => "no state" });
  await eventually("what was seen is stale", () => slots.rows.length === 0);
  const inflict = () => assert.fail("a fault");
  const { records, passedOver } = await campaign(slots, "kill", () => ({ inflict })).run();
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
