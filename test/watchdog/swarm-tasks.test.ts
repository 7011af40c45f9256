// What a Swarm manager's answers are to the watchdog: which tasks are members, in which life, where, and what a service's labels and
// environment make of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Found } from "../../watchdog/engines/discovery.ts";
import { nodesIn, servicesIn, tasksIn } from "../../watchdog/engines/swarm/answers.ts";
import { type SwarmMembers, swarmMembers } from "../../watchdog/engines/swarm/tasks.ts";
import {
  ownService,
  type ServiceChanges,
  swarmNode,
  swarmService,
  swarmTask,
  type TaskChanges,
} from "../tools/swarm/answers.ts";

const APP = { labels: { "evenkeel.port": "3000" } };
const MADE_MS = Date.parse("2026-11-26T10:00:00.123456789Z");
const proxyTask = (changes: TaskChanges = {}) => swarmTask({ id: "ppppp", service: "proxy", ...changes });

interface Answers {
  readonly tasks?: readonly object[];
  readonly services?: readonly object[];
  readonly nodes?: readonly object[];
  /** The watchdog's own. */
  readonly networks?: readonly string[];
}

function members(answers: Answers = {}): SwarmMembers {
  const { tasks = [swarmTask()], services = [swarmService("app", APP)], networks = ["ek_mesh"] } = answers;
  const { nodes = [swarmNode("node-1"), swarmNode("node-2")] } = answers;
  return swarmMembers(
    { tasks: tasksIn(tasks), services: servicesIn(services), nodes: nodesIn(nodes) },
    { stack: "ek", networks: new Set(networks) },
  );
}

const only = (answers: Answers = {}): Found => {
  const { found } = members(answers);
  assert.equal(found.length, 1, JSON.stringify(found));
  return found[0] as Found;
};

test("a task that runs is a member, on its node, at its address and where its service's label says", () => {
  const { slots, found } = members();
  assert.deepEqual(
    slots.map(({ id, service, role, group, labels }) => ({ id, service, role, group, port: labels?.port })),
    [{ id: "app-1.x7k2p", service: "app", role: "server", group: "1", port: 3000 }],
  );
  assert.deepEqual(found, [
    {
      slot: "app-1.x7k2p",
      instance: "x7k2p0123456789abcdefghij",
      ours: false,
      life: { kind: "running", sinceMs: MADE_MS },
      node: { name: "node-1" },
      ports: { port: 3000 },
      check: { timeoutMs: 2_000 },
      host: "10.0.1.5",
      healthy: true,
      passesOwnCheck: true,
      unhealthy: false,
      draining: false,
      unheard: { bytes: 0, reports: 0 },
      stranded: false,
      overlaps: true,
      image: "app:1",
    },
  ]);
});

const lives: readonly [state: string, desired: string, node: string, is: string][] = [
  ["new", "running", "ready", "created"],
  ["pending", "running", "ready", "created"],
  ["assigned", "running", "ready", "created"],
  ["accepted", "running", "ready", "created"],
  ["preparing", "running", "ready", "created"],
  ["ready", "running", "ready", "created"],
  ["starting", "running", "ready", "created"],
  ["running", "running", "ready", "running"],
  ["running", "running", "unknown", "running"],
  ["running", "running", "disconnected", "running"],
  ["running", "running", "down", "running, draining"],
  ["running", "shutdown", "ready", "running, draining"],
  ["running", "shutdown", "down", "running, draining"],
  ["running", "remove", "ready", "running, draining"],
  ["starting", "shutdown", "ready", "out"],
  ["ready", "ready", "ready", "out"],
  ["complete", "shutdown", "ready", "out"],
  ["shutdown", "shutdown", "ready", "out"],
  ["failed", "shutdown", "ready", "out"],
  ["failed", "running", "ready", "out"],
  ["rejected", "shutdown", "ready", "out"],
  ["orphaned", "shutdown", "down", "out"],
  ["remove", "remove", "ready", "out"],
  ["a state of tomorrow", "running", "ready", "out"],
];

for (const [state, desired, node, is] of lives) {
  test(`a task that is ${state}, wanted ${desired}, on a node that is ${node}: ${is}`, () => {
    const { found, slots } = members({
      tasks: [swarmTask({ state, desired })],
      nodes: [swarmNode("node-1", node)],
    });
    assert.equal(slots.length, found.length);
    const [one] = found;
    assert.equal(one === undefined ? "out" : `${one.life.kind}${one.draining ? ", draining" : ""}`, is);
    assert.deepEqual(one?.node, one && { name: "node-1", ...(node === "down" && { down: true }) });
  });
}

test("a task that cannot be placed says why", () => {
  const task = swarmTask({ state: "pending", node: "", error: "no suitable node", addresses: {} });
  const { life, node } = only({ tasks: [task] });
  assert.deepEqual(life, { kind: "created", madeMs: MADE_MS, error: "no suitable node" });
  assert.deepEqual(node, { name: "nowhere" });
});

test("two tasks of one number live side by side in an update, each in a slot of its own", () => {
  const tasks = [swarmTask({ id: "aaaaa", desired: "shutdown" }), swarmTask({ id: "bbbbb", state: "starting" })];
  const { slots, found } = members({ tasks });
  assert.deepEqual(
    slots.map(({ id }) => id),
    ["app-1.aaaaa", "app-1.bbbbb"],
  );
  assert.deepEqual(
    found.map(({ slot, draining, life }) => [slot, life.kind, draining]),
    [
      ["app-1.aaaaa", "running", true],
      ["app-1.bbbbb", "created", false],
    ],
  );
});

test("slots are in the order of their numbers", () => {
  const tasks = [10, 2, 1].map((slot) => swarmTask({ id: `task${slot}`.slice(-5), slot }));
  const ids = members({ tasks }).slots.map(({ service, id }) => id.slice(0, `${service}-`.length + 2));
  assert.deepEqual(ids, ["app-1.", "app-2.", "app-10"]);
});

test("the task of a global service is called by its node", () => {
  const tasks = [swarmTask({ service: "balancer", slot: 0, node: "node-2" })];
  const { slots, found } = members({ tasks, services: [ownService("balancer", "8080")] });
  assert.deepEqual(slots, [{ id: "balancer-node-2.x7k2p", service: "balancer", role: "balancer" }]);
  assert.deepEqual(found[0]?.ports, { port: 8080, adminPort: 9101 });
  assert.equal(found[0]?.check, undefined, "its admin port is asked");
});

test("programs of ours are known by their ROLE and asked on their admin port; every proxy has every server", () => {
  const tasks = [proxyTask(), swarmTask({ service: "server" })];
  const { slots } = members({ tasks, services: [ownService("proxy", "8081"), ownService("server", "9001")] });
  assert.deepEqual(slots, [
    { id: "proxy-1.ppppp", service: "proxy", role: "proxy", group: "1" },
    { id: "server-1.x7k2p", service: "server", role: "server", group: "1" },
  ]);
});

type Kind = readonly [what: string, changes: ServiceChanges, is: string | RegExp];
const kinds: readonly Kind[] = [
  ["without labels or ROLE", {}, "none"],
  ["of a ROLE that is not ours", { environment: ["ROLE=primary", "PORT=5432"] }, "none"],
  ["that is a watchdog", { environment: ["ROLE=watchdog", "PORT=8404", "ADMIN_PORT=9101"] }, "none"],
  ["that is a client", { environment: ["ROLE=client"] }, "none"],
  ["that is healed and takes no requests", { labels: { "evenkeel.heal": "on" } }, "none"],
  ["with a port", APP, "server 3000/- group 1"],
  ["with a port and a group", { labels: { "evenkeel.port": "80", "evenkeel.group": "b" } }, "server 80/- group b"],
  ["with a port, whatever its ROLE is", { ...APP, environment: ["ROLE=proxy"] }, "server 3000/- group 1"],
  [
    "with a role as label",
    { labels: { "evenkeel.role": "proxy" }, environment: ["PORT=8081", "ADMIN_PORT=9101"] },
    "proxy 8081/9101 group 1",
  ],
  [
    "of ours with a group",
    { environment: ["ROLE=proxy", "GROUP=b", "PORT=8081", "ADMIN_PORT=9101"] },
    "proxy 8081/9101 group b",
  ],
  ["with the same label under labels too", { ...APP, containerLabels: APP.labels }, "server 3000/- group 1"],
  [
    "with its label under labels",
    { containerLabels: APP.labels },
    /^evenkeel.port stands under labels.*deploy.labels$/,
  ],
  [
    "with another value under labels",
    { ...APP, containerLabels: { "evenkeel.port": "3001" } },
    /^evenkeel.port stands under labels/,
  ],
  [
    "with one label in the right place and one in the wrong",
    { ...APP, containerLabels: { "evenkeel.health": "/up" } },
    /^evenkeel.health stands under labels/,
  ],
  ["with a typo", { labels: { "evenkeel.prot": "3000" } }, /did you mean evenkeel.port/],
  ["without its port", { labels: { "evenkeel.health": "/up" } }, /evenkeel.port is not set.*deploy.labels/],
  [
    "of ours without PORT",
    { environment: ["ROLE=server", "ADMIN_PORT=9101"] },
    /by its ROLE, and PORT is no port: set/,
  ],
  ["of ours without ADMIN_PORT", { environment: ["ROLE=server", "PORT=9001"] }, /and ADMIN_PORT is no port: set/],
  [
    "of ours with a port that is none",
    { environment: ["ROLE=server", "PORT=99999", "ADMIN_PORT=9101"] },
    /PORT is no port/,
  ],
];

for (const [what, changes, is] of kinds) {
  test(`a service ${what} is ${is}`, () => {
    const { slots, found } = members({ services: [swarmService("app", changes)] });
    const [slot] = slots;
    if (typeof is !== "string") {
      assert.deepEqual([slot?.id, slot?.faults?.length, found], ["app", 1, []]);
      assert.match(slot?.faults?.[0] ?? "", is);
      return;
    }
    const { port, adminPort = "-" } = found[0]?.ports ?? {};
    assert.equal(slot === undefined ? "none" : `${slot.role} ${port}/${adminPort} group ${slot.group}`, is);
    assert.equal(slot?.faults, undefined);
  });
}

test("a service with a fault is one slot, however many tasks it has", () => {
  const tasks = [1, 2, 3].map((slot) => swarmTask({ id: `task${slot}`, slot }));
  const { slots, found } = members({ tasks, services: [swarmService("app", { containerLabels: APP.labels })] });
  assert.deepEqual([slots.map(({ id }) => id), found], [["app"], []]);
});

test("of two services that ask for all requests, the one that was made first has them", () => {
  const older = { ...APP, created: "2026-11-25T10:00:00Z" };
  const services = [swarmService("app", APP), swarmService("web", older)];
  const tasks = [swarmTask(), swarmTask({ service: "web", id: "wwwww" })];
  const { slots } = members({ tasks, services });
  assert.match(slots.find(({ service }) => service === "app")?.faults?.[0] ?? "", /web was there first/);
  assert.equal(slots.find(({ service }) => service === "web")?.faults, undefined);
});

test("labels say how a task is asked and how long it may take to start", () => {
  const labels = { ...APP.labels, "evenkeel.health": "/up", "evenkeel.start": "90s" };
  const { check, startMs } = only({ services: [swarmService("app", { labels })] });
  assert.deepEqual([check, startMs], [{ path: "/up" }, 90_000]);
});

const BOTH = { ek_front: "10.0.2.5", ek_mesh: "10.0.1.5" };
const PROXY_ON = { service: ownService("proxy", "8081") };

test("a member is reached on the network of the tier in front, and asked on the watchdog's", () => {
  const tasks = [
    proxyTask({ addresses: { ek_front: "10.0.2.9", ek_mesh: "10.0.1.9" } }),
    swarmTask({ addresses: BOTH }),
  ];
  const services = [PROXY_ON.service, swarmService("app", APP)];
  const at = (networks: readonly string[], all = tasks) => {
    const { found } = members({ tasks: all, services, networks });
    const { host, probeHost, outOfSight } = found.find(({ slot }) => slot.startsWith("app")) as Found;
    return { host, probeHost, outOfSight };
  };
  assert.deepEqual(at(["ek_mesh"]), { host: "10.0.1.5", probeHost: undefined, outOfSight: undefined });
  const front = [proxyTask({ addresses: { ek_front: "10.0.2.9" } }), swarmTask({ addresses: BOTH })];
  assert.deepEqual(at(["ek_mesh"], front), { host: "10.0.2.5", probeHost: "10.0.1.5", outOfSight: undefined });
  const frontAlone = [front[0] as object, swarmTask({ addresses: { ek_front: "10.0.2.5" } })];
  assert.deepEqual(at(["ek_mesh"], frontAlone as typeof tasks), {
    host: "10.0.2.5",
    probeHost: undefined,
    outOfSight: true,
  });
});

test("a watchdog outside of a container takes the network of the tier in front", () => {
  const tasks = [proxyTask({ addresses: { ek_front: "10.0.2.9" } }), swarmTask({ addresses: BOTH })];
  const { found } = members({ tasks, services: [PROXY_ON.service, swarmService("app", APP)], networks: [] });
  assert.deepEqual(
    found.map(({ host }) => host),
    ["10.0.2.9", "10.0.2.5"],
  );
});

test("evenkeel.network is a network's name, with or without its stack's", () => {
  const networks = ["ek_front", "ek_mesh"];
  const at = (network: string) => {
    const labels = { ...APP.labels, "evenkeel.network": network };
    return only({ networks, tasks: [swarmTask({ addresses: BOTH })], services: [swarmService("app", { labels })] });
  };
  assert.equal(at("mesh").host, "10.0.1.5");
  assert.equal(at("front").host, "10.0.2.5");
  assert.equal(at("ek_front").host, "10.0.2.5");
  assert.match(at("back").obstacle ?? "", /app is not on the network back: mend evenkeel.network/);
});

test("a task on no network that we share says what to do, and the network of published ports is none", () => {
  const { host, obstacle } = only({ tasks: [swarmTask({ addresses: { ingress: "10.0.0.5" } })] });
  assert.equal(host, undefined);
  assert.match(obstacle ?? "", /app is on no network that the watchdog is on too: give both one under networks/);
});

test("an answer that is no list of tasks is refused by what is wrong with it", () => {
  assert.throws(() => tasksIn({ message: "no" }), /the manager's \/tasks is no list of tasks: it: /);
  assert.throws(() => tasksIn([{ ...swarmTask(), ID: 7 }]), /no list of tasks: 0\.ID: /);
  assert.throws(() => servicesIn([{ ...swarmService("app"), Spec: {} }]), /no list of services: 0\.Spec\.Name: /);
  assert.throws(() => nodesIn([{ ...swarmNode("node-1"), Status: null }]), /no list of nodes: 0\.Status: /);
});

const template = (image: string) => {
  const { Runtime: _, ...made } = swarmService("app").Spec.TaskTemplate;
  return { ...made, ContainerSpec: { ...made.ContainerSpec, Image: image } };
};

/** Three tasks of an app that is at app:1: a new one, an old one, and one on its way out. */
function updated(update: ServiceChanges["update"]) {
  const services = [swarmService("app", { ...APP, ...(update && { update }) })];
  const tasks = [
    { ...swarmTask({ id: "nnnnn" }), Spec: template("app:1") },
    { ...swarmTask({ id: "ooooo", slot: 2 }), Spec: template("app:0") },
    { ...swarmTask({ id: "ggggg", desired: "shutdown" }), Spec: template("app:0") },
  ];
  return members({ services, tasks }).rolls;
}

test("an update that is under way is a roll, with the tasks that are new by what they were made from", () => {
  assert.deepEqual(updated({ state: "updating", message: "update in progress" }), [
    {
      ...{ service: "app", phase: "rolling", order: "start-first", parallel: 1, reason: "update in progress" },
      slots: [
        { slot: "app-1.nnnnn", rolled: true },
        { slot: "app-2.ooooo", rolled: false },
      ],
    },
  ]);
});

const phases: readonly [state: string, phase: string | undefined][] = [
  ["updating", "rolling"],
  ["completed", "done"],
  ["paused", "paused"],
  ["rollback_started", "rolling-back"],
  ["rollback_completed", "rolled-back"],
  ["rollback_paused", "paused"],
  ["", undefined],
  ["of a later version of Swarm", undefined],
];

for (const [state, phase] of phases) {
  test(`an update that Swarm calls ${JSON.stringify(state)} is ${phase ?? "none"}`, () => {
    const [roll] = updated({ state, order: "stop-first", parallel: 0 });
    const expected = phase === undefined ? [] : [phase, "stop-first", 2];
    assert.deepEqual(roll ? [roll.phase, roll.order, roll.parallel] : [], expected);
    const ended = phase === "done" || phase === "rolled-back";
    if (roll)
      assert.equal(
        roll.slots.every(({ rolled }) => rolled),
        ended,
      );
  });
}

test("a service that was never updated has no roll", () => assert.deepEqual(updated(undefined), []));
