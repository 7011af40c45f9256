// What a round makes of a slot while steps come and go beside it: facts of timing that a real engine shows once in a while, on
// an engine whose answers come when the test says so.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { nowMs } from "../../services/runtime/clock.ts";
import { readSettings } from "../../services/runtime/config.ts";
import type { Slot } from "../../watchdog/desired/slot.ts";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { Observer } from "../../watchdog/observe/observer.ts";
import { OperatorOrders } from "../../watchdog/observe/operator-orders.ts";
import { StateFile } from "../../watchdog/observe/state-file.ts";
import { plan } from "../../watchdog/rules/plan.ts";
import { unblemished } from "../../watchdog/rules/restart-policy.ts";
import { type SlotState, serves } from "../../watchdog/rules/slot-state.ts";
import { ASKED_FORGOTTEN_MS } from "../../watchdog/rules/stop-intent.ts";
import { eventually } from "../tools/eventually.ts";
import { named } from "../tools/http/origin.ts";
import { recordedLog } from "../tools/log.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { exited, found, running, slotOf, stopped } from "../tools/watchdog/slot-states.ts";

const SLOT = slotOf("server-1");

/** An observer of one slot, with whatever is in it. */
async function stage(t: TestContext, list: () => Found[], slots: readonly Slot[] = [SLOT]) {
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  const read = readSettings({ ROLE: "watchdog", REGISTRY_FILE });
  assert.ok(read.ok);
  const removedByUs = (instance: string) => instance === "ours";
  const discovery = { self: undefined, slots: async () => [...slots], list: async () => list(), removedByUs };
  const stateFile = new StateFile(REGISTRY_FILE);
  const orders = new OperatorOrders(stateFile);
  const { settings } = read;
  const { log, events } = recordedLog();
  const observer = new Observer({ discovery, settings, log, stateFile, orders, onNews: () => {} });
  /** A round of the watchdog that carries out no step. */
  const look = async () => (await observer.observe(() => new Set()))[0];
  return { observer, orders, look, stateFile, REGISTRY_FILE, events };
}

test("a tier may suspect the members that it forwards to, and nobody may suspect anybody else", async (t) => {
  const slots = ["balancer", "proxy-1", "server-1", "client", "watchdog"].map(slotOf);
  const other: Slot = { id: "server-9", role: "server", group: "2" };
  const all = [...slots, other];
  const { observer } = await stage(t, () => all.map(({ id }) => found(id, { kind: "running", sinceMs: 0 })), all);
  const ids = all.map(({ id }) => id);
  const suspected = async () =>
    (await observer.observe(() => new Set())).filter(({ suspected }) => suspected).map(({ slot }) => slot.id);
  assert.deepEqual(await suspected(), []);
  const accepted = ids.flatMap((by) =>
    ids.filter((slot) => observer.event({ kind: "suspected", by, slot })).map((slot) => `${by} > ${slot}`),
  );
  assert.deepEqual(accepted, ["balancer > proxy-1", "proxy-1 > server-1"]);
  assert.deepEqual((await suspected()).sort(), ["proxy-1", "server-1"]);
});

test("a member whose ports were known before it spoke takes links once it has said so, and its ports stay", async (t) => {
  let ports: Found["ports"] = { port: 8081, adminPort: 9101 };
  const { look } = await stage(t, () => [running("server-1", { ports: ports as NonNullable<typeof ports> })]);
  const seen = async () => (await look())?.found?.ports;
  assert.deepEqual(await seen(), { port: 8081, adminPort: 9101 });
  ports = { port: 9999, adminPort: 9101, link: 1 };
  assert.deepEqual(await seen(), { port: 8081, adminPort: 9101 });
  ports = { port: 8081, adminPort: 9101, link: 1 };
  assert.deepEqual(await seen(), ports);
  ports = { port: 8081, adminPort: 9101 };
  assert.deepEqual(await seen(), { ...ports, link: 1 });
});

test("a suspicion that is known already is no news", async (t) => {
  const slots = ["proxy-1", "server-1"].map(slotOf);
  const { observer } = await stage(t, () => slots.map(({ id }) => running(id)), slots);
  await observer.observe(() => new Set());
  const event = { kind: "suspected", by: "proxy-1", slot: "server-1" } as const;
  assert.deepEqual([observer.event(event), observer.event(event)], [true, false]);
});

test("500,000 suspects of names that nobody has are forgotten at once, whatever they are called", async (t) => {
  const slots = ["proxy-1", "server-1"].map(slotOf);
  const { observer } = await stage(t, () => slots.map(({ id }) => running(id)), slots);
  await observer.observe(() => new Set());
  for (const slot of ["constructor", "__proto__", "toString", ""]) {
    assert.equal(observer.event({ kind: "suspected", by: "proxy-1", slot }), false);
    assert.equal(observer.event({ kind: "suspected", by: slot, slot: "server-1" }), false);
  }
  for (let number = 0; number < 500_000; number += 1)
    observer.event({ kind: "suspected", by: "proxy-1", slot: `nobody-${number}` });
  const began = process.cpuUsage();
  assert.equal((await observer.observe(() => new Set())).length, 2);
  const { user, system } = process.cpuUsage(began);
  assert.ok(user + system < 100_000, `a round took ${user + system} us`);
});

test("a slot that is called as what every object has is held by nobody, and has no past", async (t) => {
  const slots = ["constructor", "__proto__", "toString"].map((id): Slot => ({ id, role: "server" }));
  const { observer, orders } = await stage(t, () => slots.map(({ id }) => found(id, { kind: "created" })), slots);
  const look = () => observer.observe(() => new Set());
  const states = await look();
  assert.deepEqual(
    states.map(({ held, intent, restart }) => [held, intent, restart]),
    slots.map(() => [undefined, undefined, unblemished]),
  );
  orders.hold("__proto__");
  assert.deepEqual(
    (await look()).map(({ held }) => held !== undefined),
    [false, true, false],
  );
  assert.deepEqual([...observer.generations()], []);
});

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
  observer.healBegun(SLOT.id, false);
  const first = await now();
  observer.healBegun(SLOT.id, false);
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

test("the time for which a slot was held is none of its trouble", async (t) => {
  let member = running(SLOT.id);
  const { observer, orders, look } = await stage(t, () => [member]);
  await look();
  orders.hold(SLOT.id);
  member = exited(SLOT.id);
  observer.event({ kind: "died", instance: member.instance, engineMs: 0 });
  await look();
  const sinceMs = observer.troubleSinceMs(SLOT.id) as number;
  await eventually("some time", () => nowMs() > sinceMs + 50);
  orders.release(SLOT.id);
  assert.ok((observer.troubleSinceMs(SLOT.id) as number) > sinceMs + 50);
});

test("a pause holds every slot of the service, over a restart of the watchdog, and is none of its trouble", async (t) => {
  const slots = [1, 2].map((number): Slot => ({ id: `app-${number}`, role: "server", service: "app" }));
  let members = slots.map(({ id }) => running(id));
  const { observer, orders, stateFile, REGISTRY_FILE } = await stage(t, () => members, [...slots, SLOT]);
  const held = async () =>
    (await observer.observe(() => new Set())).filter(({ held }) => held?.paused).map(({ slot }) => slot.id);
  await held();
  orders.pause("app");
  assert.deepEqual(await held(), ["app-1", "app-2"]);
  await stateFile.save();
  const next = new StateFile(REGISTRY_FILE);
  await next.open();
  assert.ok(new OperatorOrders(next).pauseOf("app"));
  members = members.slice(1);
  observer.event({ kind: "died", instance: "app-1#1", engineMs: 0 });
  await held();
  const sinceMs = observer.troubleSinceMs("app-1") as number;
  await eventually("some time", () => nowMs() > sinceMs + 50);
  orders.resume("app");
  assert.ok((observer.troubleSinceMs("app-1") as number) > sinceMs + 50);
  assert.deepEqual(await held(), []);
});

test("a weight stays over a restart of the watchdog, until it is taken back or its slot is nobody's any more", async (t) => {
  const { observer, orders, look, stateFile, REGISTRY_FILE } = await stage(t, () => [running(SLOT.id)]);
  assert.equal((await look())?.weight, undefined);
  orders.weigh(SLOT.id, 0);
  assert.equal((await look())?.weight, 0);
  await stateFile.save();
  const next = new StateFile(REGISTRY_FILE);
  await next.open();
  assert.equal(new OperatorOrders(next).weightOf(SLOT.id), 0);
  orders.weigh(SLOT.id, undefined);
  assert.equal((await look())?.weight, undefined);
  orders.weigh(SLOT.id, 3);
  orders.hold(SLOT.id);
  observer.forgotten(SLOT.id);
  const { weight, held } = (await look()) as SlotState;
  assert.deepEqual([weight, held], [undefined, undefined]);
});

test("signals without end are one line of the log", async (t) => {
  const { observer, events } = await stage(t, () => []);
  for (let n = 0; n < 50; n += 1) {
    observer.event({ kind: "signalled", instance: "server-1#1", signal: "HUP", engineMs: n });
  }
  assert.deepEqual(
    events.map(({ event, was, now }) => `${event}: ${was} > ${now}`),
    ["stop-intent: none > asked"],
  );
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

test("a member that the watchdog cannot reach counts by its own health check, and is never called silent", async (t) => {
  const { host: _, ...unreached } = running(SLOT.id);
  let member: Found = { ...unreached, host: "10.0.0.1", outOfSight: true };
  const { look } = await stage(t, () => [member]);
  const limits = { missedMax: 2, startTimeoutMs: 0 };
  const starting = (await look()) as SlotState;
  assert.deepEqual([starting.probed, starting.missed], [undefined, 0]);
  assert.deepEqual(plan([starting], limits, nowMs()), []);
  member = { ...member, healthy: true };
  const well = (await look()) as SlotState;
  assert.equal(well.probed?.kind, "passed");
  assert.deepEqual(plan([well], limits, nowMs()), []);
  const { healthy: __, ...sick } = member;
  member = { ...sick, unhealthy: true };
  const [step] = plan([(await look()) as SlotState], limits, nowMs());
  assert.match(step?.reason ?? "", /its own health check fails/);
});

test("a member that answers gets no traffic before its own health check has passed once in this run", async (t) => {
  const { port } = await named(t, "it listens");
  let member: Found = { ...running(SLOT.id, { host: "127.0.0.1", ports: { port } }), gated: true };
  const { look } = await stage(t, () => [member]);
  const limits = { missedMax: 2, startTimeoutMs: 0 };
  const seen = async () => {
    const slotState = (await look()) as SlotState;
    const { gated = false, answered } = slotState;
    return { gated, answered, serves: serves(slotState), steps: plan([slotState], limits, nowMs()).length };
  };
  const waits = { gated: true, answered: false, serves: false, steps: 0 };
  await eventually("it has answered, and waits", async () => isDeepStrictEqual(await seen(), waits));
  const { gated: _, ...admitted } = member;
  member = admitted;
  const well = { gated: false, answered: true, serves: true, steps: 0 };
  await eventually("it serves", async () => isDeepStrictEqual(await seen(), well));
  member = { ...admitted, gated: true };
  assert.deepEqual(await seen(), well);
  member = { ...admitted, gated: true, life: { kind: "running", sinceMs: 7 } };
  await eventually("it has begun anew, and waits", async () => isDeepStrictEqual(await seen(), waits));
});

const REPLICAS: readonly Slot[] = [1, 2].map((number) => ({ id: `app-${number}`, role: "server", service: "app" }));

test("a heal is not meant any more when a replica beside it was told to stop since it began", async (t) => {
  const [dead] = REPLICAS as [Slot, Slot];
  const { observer } = await stage(t, () => [exited("app-1"), running("app-2")], REPLICAS);
  await observer.observe(() => new Set());
  const signal = { kind: "signalled", instance: "app-2#1", signal: "TERM", engineMs: 1 } as const;
  observer.event({ ...signal, agoMs: 60_000 });
  observer.healBegun("app-1", false);
  observer.assertMeant(dead);
  observer.event({ ...signal, engineMs: 2 });
  assert.throws(
    () => observer.assertMeant(dead),
    /^Error: somebody stops replicas of app, and this one may be to go too/,
  );
});

test("who has removed the last container of a slot is known, until the slot is forgotten", async (t) => {
  const { observer, look } = await stage(t, () => [], REPLICAS);
  const removed = { kind: "removed", slot: "app-1", engineMs: 5 } as const;
  observer.event({ ...removed, instance: "ours" });
  assert.deepEqual((await look())?.emptied, { engineMs: 5, ours: true });
  observer.event({ ...removed, instance: "another", engineMs: 6 });
  assert.deepEqual((await look())?.emptied, { engineMs: 6, ours: false });
  observer.forgotten("app-1");
  assert.equal((await look())?.emptied, undefined);
});

test("a slot that the list shows for the first time has its state in the same look", async (t) => {
  const known: Slot[] = [];
  const shown = () => {
    known.push(...REPLICAS.slice(known.length));
    return [running("app-1"), running("app-2")];
  };
  const { observer } = await stage(t, shown, known);
  const states = await observer.observe(() => new Set());
  assert.deepEqual(
    states.map(({ slot, found: member }) => `${slot.id} ${member?.instance}`),
    ["app-1 app-1#1", "app-2 app-2#1"],
  );
});
