// What doctor finds on a Swarm, by its manager's answers, each with the docker line to type; and the command itself over a manager.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { swarmFindings } from "../../watchdog/ctl/doctor/findings-swarm.ts";
import type { SwarmLook } from "../../watchdog/ctl/doctor/look-swarm.ts";
import { nodesIn, servicesIn, tasksIn } from "../../watchdog/engines/swarm/answers.ts";
import { freePort } from "../tools/ports.ts";
import { run } from "../tools/process/run.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { type ServiceChanges, swarmNode, swarmService, swarmTask, type TaskChanges } from "../tools/swarm/answers.ts";
import { FakeManager } from "../tools/watchdog/fake-manager.ts";

const APP = { labels: { "evenkeel.port": "3000" } };

interface Answers {
  readonly service?: ServiceChanges;
  readonly tasks?: readonly TaskChanges[];
  readonly nodes?: readonly object[];
  readonly stack?: string | undefined;
}

function look({ service = {}, tasks = [{}], nodes = [swarmNode("node-1")], ...of }: Answers = {}): SwarmLook {
  return {
    ...{ kind: "reached", version: "26.1.5", api: "1.45", stack: "stack" in of ? of.stack : "ek" },
    nodes: nodesIn(nodes),
    services: servicesIn([swarmService("app", { ...APP, ...service })]),
    tasks: tasksIn(tasks.map((task) => swarmTask(task))),
  };
}

/** "level check: what > fix", of what is not well. */
function problems(of: SwarmLook): string[] {
  return swarmFindings(of).flatMap((finding) =>
    finding.level === "ok" ? [] : [`${finding.level} ${finding.check}: ${finding.what} > ${finding.fix}`],
  );
}

test("a stack that is well is found well", () => {
  assert.deepEqual(
    swarmFindings(look()).map(({ level, check, what }) => `${level} ${check}: ${what}`),
    [
      "ok swarm: a manager, Docker 26.1.5, API 1.45",
      "ok nodes: 1 are ready and take tasks",
      "ok labels: 1 services take requests",
      "ok tasks: all that are to run do",
      "ok updates: none stands still",
    ],
  );
});

const node = (name: string, Role: string, Availability = "active", state = "ready") => ({
  ...swarmNode(name, state),
  Spec: { Role, Availability },
});

const facts: readonly [what: string, answers: Answers, found: readonly string[]][] = [
  [
    "a label that stands where Swarm does not show it",
    { service: { labels: {}, containerLabels: { "evenkeel.port": "3000" } } },
    [
      "fault labels: app: evenkeel.port stands under labels, where Swarm does not show it > move it under deploy.labels; then docker stack deploy again",
    ],
  ],
  [
    "a service that does not say its port",
    { service: { labels: { "evenkeel.role": "server" } } },
    [
      "fault labels: app: evenkeel.port is not set > set it under deploy.labels to where it listens; then docker stack deploy again",
    ],
  ],
  [
    "no service that takes requests",
    { service: { labels: {} } },
    ["fault labels: no service of ek takes requests > give yours evenkeel.port under deploy.labels"],
  ],
  [
    "a task that finds no node",
    { tasks: [{ state: "pending", node: "", error: "no suitable node" }] },
    ["warning tasks: app: a task is pending: no suitable node > docker service ps --no-trunc ek_app"],
  ],
  [
    "tasks that failed",
    { tasks: [{}, { id: "fffff", state: "failed", desired: "shutdown", error: "task: non-zero exit (1)" }] },
    [
      "warning tasks: app: 1 of its last tasks failed: task: non-zero exit (1) > docker service ps --no-trunc ek_app; docker service logs ek_app",
    ],
  ],
  [
    "an update that stands still",
    { service: { update: { state: "paused", message: "update paused due to failure" } } },
    [
      "fault updates: app: its update stands still: update paused due to failure > docker service update --force ek_app, or back: docker service rollback ek_app",
    ],
  ],
  [
    "an update that Swarm took back",
    { service: { update: { state: "rollback_completed", message: "rollback completed" } } },
    ["warning updates: app: its update was rolled back: rollback completed > docker service ps --no-trunc ek_app"],
  ],
  [
    "a node that is down, and one that is drained",
    { nodes: [node("a", "manager"), node("b", "worker", "active", "down"), node("c", "worker", "drain")] },
    [
      "warning nodes: b is down > see its engine; if it is gone for good: docker node rm --force b",
      "warning nodes: c takes no tasks: its availability is drain > docker node update --availability active c; nothing moves back by itself",
    ],
  ],
  [
    "two managers",
    { nodes: [node("a", "manager"), node("b", "manager")] },
    [
      "warning nodes: there are two managers: with either, the Swarm is without one > make it three: docker node promote",
    ],
  ],
  [
    "a watchdog of no stack",
    { stack: undefined },
    [
      "fault stack: we are part of no stack > run it in the watchdog's container: docker exec WATCHDOG node watchdogctl.js doctor; or set STACK",
    ],
  ],
];

for (const [what, answers, found] of facts) {
  test(`${what} is found, with what to do`, () => assert.deepEqual(problems(look(answers)), found));
}

test("doctor on a Swarm asks its manager, and finds what is wrong with the stack", async (t) => {
  const manager = await FakeManager.open(t);
  manager.services = [swarmService("app", { containerLabels: { "evenkeel.port": "3000" } })];
  manager.nodes = [swarmNode("node-1"), swarmNode("node-2", "down")];
  const [WATCHDOG_PORT, BALANCER_PORT] = [String(await freePort()), String(await freePort())];
  const REGISTRY_FILE = join(await temporaryDirectory(t), "registry.json");
  const environment = { ENGINE: "swarm", STACK: "ek", DOCKER_SOCKET: manager.socket, REGISTRY_FILE };
  const doctor = async () =>
    run(t, "watchdog/ctl/watchdogctl", { ...environment, WATCHDOG_PORT, BALANCER_PORT }, ["doctor"]).ended;
  const { code, stdout, stderr } = await doctor();
  assert.deepEqual([code, stderr], [1, ""]);
  for (const wanted of [
    /ok +swarm .* a manager/,
    /warning +nodes .* node-2 is down/,
    /fault +labels .* app: evenkeel.port stands/,
  ])
    assert.match(stdout, wanted);
  assert.deepEqual(
    manager.calls.filter((call) => !call.startsWith("GET ")),
    [],
  );
  manager.isNone();
  assert.match(
    (await doctor()).stdout,
    /fault +swarm +the manager does not answer .*\n +> see what docker node ls says/,
  );
});
