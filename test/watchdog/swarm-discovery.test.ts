// Discovery on a Swarm, against a manager on a Unix socket: what it asks and when, what it makes of a whole update, and what a failure
// of the manager is to it. The rows of the update were seen on two nodes with Engine 26.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { EngineEvent } from "../../watchdog/engines/discovery.ts";
import { connect } from "../../watchdog/engines/docker/connection.ts";
import { SwarmDiscovery } from "../../watchdog/engines/swarm/discovery.ts";
import { filteredSocket } from "../tools/docker/filtered-socket.ts";
import { eventually } from "../tools/eventually.ts";
import { ownService, swarmNode, swarmService, swarmTask } from "../tools/swarm/answers.ts";
import { FakeManager } from "../tools/watchdog/fake-manager.ts";

const RUNNING = "GET /tasks desired-state label";

async function stage(t: TestContext) {
  const manager = await FakeManager.open(t);
  manager.services = [swarmService("app", { labels: { "evenkeel.port": "3000" } })];
  manager.nodes = [swarmNode("node-1"), swarmNode("node-2")];
  manager.tasks = [swarmTask({ id: "aaaaa" }), swarmTask({ id: "bbbbb", slot: 2, node: "node-2" })];
  const discovery = new SwarmDiscovery(await connect(manager.socket), { stack: "ek", networks: new Set() });
  manager.takeCalls();
  return { manager, discovery };
}

async function shown(discovery: SwarmDiscovery): Promise<string[]> {
  // As a round does.
  const found = await discovery.list();
  const slots = await discovery.slots();
  const bySlot = new Map(found.map((member) => [member.slot, member]));
  return slots.map(({ id }) => {
    const { life, draining, node } = bySlot.get(id) ?? {};
    return `${id} ${life?.kind}${draining ? " draining" : ""} ${node?.name}`;
  });
}

test("a round is one look: services and nodes are asked for once, and tasks each time", async (t) => {
  const { manager, discovery } = await stage(t);
  assert.deepEqual(await shown(discovery), ["app-1.aaaaa running node-1", "app-2.bbbbb running node-2"]);
  assert.deepEqual(manager.takeCalls().sort(), ["GET /nodes", "GET /services label", RUNNING]);
  await shown(discovery);
  assert.deepEqual(manager.takeCalls(), [RUNNING]);
});

test("a task of a service that nobody knows has the services asked for again", async (t) => {
  const { manager, discovery } = await stage(t);
  await shown(discovery);
  manager.takeCalls();
  manager.services.push(swarmService("web", { labels: { "evenkeel.port": "80", "evenkeel.host": "b.org" } }));
  manager.tasks.push(swarmTask({ id: "wwwww", service: "web" }));
  assert.ok((await shown(discovery)).includes("web-1.wwwww running node-1"));
  assert.deepEqual(manager.takeCalls(), [RUNNING, "GET /services label"]);
});

type Row = readonly [task: string, state: string, desired: string];
interface Moment {
  readonly what: string;
  readonly rows: readonly Row[];
  readonly shown: readonly string[];
}

/** Of slots 1 and 2, in the order of time. */
const update: readonly Moment[] = [
  {
    what: "a successor starts beside the first",
    rows: [
      ["aaaaa", "running", "running"],
      ["ccccc", "starting", "running"],
      ["bbbbb", "running", "running"],
    ],
    shown: ["app-1.aaaaa running node-1", "app-1.ccccc created node-1", "app-2.bbbbb running node-2"],
  },
  {
    what: "it runs, and the first is told to go",
    rows: [
      ["aaaaa", "running", "shutdown"],
      ["ccccc", "running", "running"],
      ["bbbbb", "running", "running"],
    ],
    shown: ["app-1.aaaaa running draining node-1", "app-1.ccccc running node-1", "app-2.bbbbb running node-2"],
  },
  {
    what: "the first is gone, and the second is killed",
    rows: [
      ["aaaaa", "shutdown", "shutdown"],
      ["ccccc", "running", "running"],
      ["bbbbb", "failed", "shutdown"],
      ["ddddd", "preparing", "running"],
    ],
    shown: ["app-1.ccccc running node-1", "app-2.ddddd created node-2"],
  },
  {
    what: "its successor waits until a node is drained",
    rows: [
      ["ccccc", "running", "shutdown"],
      ["eeeee", "ready", "ready"],
      ["ddddd", "running", "running"],
    ],
    shown: ["app-1.ccccc running draining node-1", "app-2.ddddd running node-2"],
  },
];

test("through an update, a kill and a node's drain each task is in the state that it is in", async (t) => {
  const { manager, discovery } = await stage(t);
  const seconds = new Set(["bbbbb", "ddddd"]);
  await shown(discovery);
  for (const { what, rows, shown: expected } of update) {
    manager.tasks = rows.map(([id, state, desired]) => {
      const place = seconds.has(id) ? { slot: 2, node: "node-2" } : { slot: 1, node: "node-1" };
      return swarmTask({ id, state, desired, ...place });
    });
    assert.deepEqual(await shown(discovery), expected, what);
  }
});

test("a task that leaves the list is looked up by its id until it has ended, and never again", async (t) => {
  const { manager, discovery } = await stage(t);
  await shown(discovery);
  manager.takeCalls();
  const [first, second] = [swarmTask({ id: "aaaaa", desired: "shutdown" }), swarmTask({ id: "bbbbb", slot: 2 })];
  manager.tasks = [first, second];
  for (let round = 0; round < 2; round += 1) assert.match((await shown(discovery))[0] ?? "", /running draining/);
  assert.deepEqual(manager.takeCalls(), [RUNNING, "GET /tasks id", RUNNING, "GET /tasks id"]);
  manager.tasks = [swarmTask({ id: "aaaaa", state: "shutdown", desired: "shutdown" }), second];
  assert.equal((await shown(discovery)).length, 1);
  manager.takeCalls();
  await shown(discovery);
  assert.deepEqual(manager.takeCalls(), [RUNNING]);
});

test("when hundreds leave at once they are looked up together", async (t) => {
  const { manager, discovery } = await stage(t);
  const many = (desired: string) =>
    Array.from({ length: 300 }, (_, at) => swarmTask({ id: `t${1_000 + at}`, slot: at + 1, desired }));
  manager.tasks = many("running");
  assert.equal((await shown(discovery)).length, 300);
  manager.tasks = many("shutdown");
  manager.takeCalls();
  assert.equal((await shown(discovery)).length, 300);
  assert.deepEqual(manager.takeCalls(), [RUNNING, "GET /tasks label"]);
});

test("an event of a service or a node wakes the watchdog, and what it changed is asked for again", async (t) => {
  const { manager, discovery } = await stage(t);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const events: EngineEvent[] = [];
  await discovery.watch((event) => events.push(event), stop.signal);
  await eventually("the event stream", () => manager.listeners === 1 || undefined);
  await shown(discovery);
  for (const type of ["service", "node"] as const) {
    manager.takeCalls();
    events.length = 0;
    manager.tell(type);
    await eventually("the word of it", () => events[0]);
    await shown(discovery);
    assert.deepEqual(manager.takeCalls().sort(), ["GET /nodes", "GET /services label", RUNNING]);
  }
});

test("an event stream that breaks off is opened again, and the watchdog looks at what it may have missed", async (t) => {
  const { manager, discovery } = await stage(t);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const events: EngineEvent[] = [];
  await discovery.watch((event) => events.push(event), stop.signal);
  await eventually("the event stream", () => manager.listeners === 1 || undefined);
  manager.breakOff();
  await eventually("a wish to look", () => events[0]);
  await eventually("another event stream", () => manager.listeners === 1 || undefined);
  assert.ok(manager.takeCalls().filter((call) => call.startsWith("GET /events")).length >= 2);
});

test("a manager without a quorum, or one that is none, is an error that says so, and the next look is whole", async (t) => {
  const { manager, discovery } = await stage(t);
  await shown(discovery);
  manager.failure = { status: 503, message: "The swarm does not have a leader." };
  await assert.rejects(shown(discovery), /The swarm does not have a leader/);
  manager.failure = undefined;
  assert.equal((await shown(discovery)).length, 2);
});

test("the last lines of a task are those of its log, and none of one that is gone", async (t) => {
  const { manager, discovery } = await stage(t);
  const { ID } = swarmTask({ id: "aaaaa" });
  manager.logs.set(ID, "one\ntwo\nthree\n");
  assert.deepEqual(await discovery.lastLines(ID, 2), ["two", "three"]);
  assert.deepEqual(await discovery.lastLines("gone", 2), []);
});

test("whoever asks for another version is told how Swarm comes to it", async (t) => {
  const { discovery } = await stage(t);
  const former = await discovery.formerVersion("app");
  assert.ok(former.kind === "none" && /docker service rollback ek_app/.test(former.reason), JSON.stringify(former));
  const image = await discovery.imageVersion("app-1.aaaaa");
  assert.ok(image.kind === "none" && /docker service update --image/.test(image.reason), JSON.stringify(image));
});

test("behind the guardian's filter it sees the same, and nothing that it asks is refused", async (t) => {
  const { manager, discovery } = await stage(t);
  const { path } = await filteredSocket(t, { enginePath: manager.socket, swarm: true });
  const behind = new SwarmDiscovery(await connect(path), { stack: "ek", networks: new Set() });
  const stop = new AbortController();
  t.after(() => stop.abort());
  await behind.watch(() => {}, stop.signal);
  await eventually("the event stream", () => manager.listeners === 1 || undefined);
  assert.deepEqual(await shown(behind), await shown(discovery));
  const many = (desired: string) =>
    Array.from({ length: 101 }, (_, at) => swarmTask({ id: `t${1_000 + at}`, slot: at + 1, desired }));
  for (const left of [100, 101]) {
    manager.tasks = many("running").slice(0, left);
    assert.equal((await shown(behind)).length, left);
    manager.tasks = many("shutdown").slice(0, left);
    assert.equal((await shown(behind)).length, left);
    manager.tasks = [];
    await shown(behind);
  }
  const { ID } = swarmTask({ id: "aaaaa" });
  manager.logs.set(ID, "one\ntwo\n");
  assert.deepEqual(await behind.lastLines(ID, 1), ["two"]);
  manager.services.push(ownService("proxy", "8081"));
  manager.tasks = [swarmTask({ id: "ppppp", service: "proxy" })];
  await shown(behind);
  await eventually("the log of a tier is followed", () => manager.followed.length === 1);
});

const CONTAINER = "0123456789abcdef0123456789abcdef";
const NONCE = CONTAINER.slice(0, 12);
const line = (event: string, more: object) =>
  JSON.stringify({ event, time: "2026-11-26T10:00:01.000Z", nonce: NONCE, ...more });

/** A proxy of ours in front of an app, with its log followed. */
async function withProxy(t: TestContext) {
  const { manager, discovery } = await stage(t);
  const proxy = swarmTask({ id: "ppppp", service: "proxy", container: CONTAINER });
  manager.services.push(ownService("proxy", "8081"));
  manager.tasks.push(proxy);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const events: EngineEvent[] = [];
  await discovery.watch((event) => events.push(event), stop.signal);
  await shown(discovery);
  await eventually("its log is followed", () => manager.followed[0]);
  const linkOf = async () => (await discovery.list()).find(({ instance }) => instance === proxy.ID)?.ports;
  return { manager, discovery, stop, events, proxy, linkOf };
}

test("the logs of our own tiers are followed, and of nobody else, until a task leaves or the watchdog stops", async (t) => {
  const { manager, discovery, stop, proxy } = await withProxy(t);
  assert.deepEqual(manager.followed, [proxy.ID]);
  manager.tasks = [...manager.tasks.slice(0, 2), swarmTask({ id: "qqqqq", service: "proxy", container: CONTAINER })];
  await shown(discovery);
  const { ID } = swarmTask({ id: "qqqqq" });
  await eventually("the next one's log is followed", () => manager.followed.join() === ID);
  stop.abort();
  await eventually("no log is followed", () => manager.followed.length === 0);
});

test("a member that a proxy cannot reach is suspected, by that proxy", async (t) => {
  const { manager, events, proxy } = await withProxy(t);
  manager.write(proxy.ID, line("member-failing", { member: "app-1.aaaaa" }));
  const suspected = await eventually("the word of it", () => events.find(({ kind }) => kind === "suspected"));
  assert.deepEqual(suspected, { kind: "suspected", slot: "app-1.aaaaa", by: "proxy-1.ppppp" });
});

test("a proxy that says so at its start speaks the link, also while its log is broken off; a forged line says nothing", async (t) => {
  const { manager, discovery, proxy, linkOf } = await withProxy(t);
  const own = { port: 8081, adminPort: 9101 };
  assert.deepEqual(await linkOf(), own);
  manager.write(proxy.ID, line("listening", { ...own, link: 1, nonce: "forged" }));
  manager.write(proxy.ID, line("listening", { ...own, port: 8082, link: 1 }));
  manager.write(proxy.ID, line("listening", { ...own, link: 1 }));
  await eventually("its link is known", async () => (await linkOf())?.link);
  manager.cut(proxy.ID);
  await eventually("its log is broken off", () => manager.followed.length === 0);
  assert.deepEqual(await linkOf(), { ...own, link: 1 });
  await eventually("its log is followed again", async () => {
    await shown(discovery);
    return manager.followed.length === 1;
  });
});
