// `docker compose up` by somebody at a chosen moment of a heal, on a real engine: before the dead replica is removed, before its twin is made,
// and before that is started. As many replicas are there in the end as Compose was asked for, and none of the sound is made anew.

import assert from "node:assert/strict";
import { once } from "node:events";
import { before, type TestContext, test } from "node:test";
import { containersOf, type Document, PROJECT } from "../tools/docker/containers.ts";
import { docker, inspectThere, dockerSkip as skip } from "../tools/docker/docker.ts";
import { filteredSocket } from "../tools/docker/filtered-socket.ts";
import { bringUp, type Project } from "../tools/docker/stage.ts";
import { tollSocket } from "../tools/docker/toll-socket.ts";
import { startWatchdog } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope, inReverse } from "../tools/scope.ts";

const WITHIN_MS = 60_000;
const PROGRAM = "require('node:http').createServer((q, r) => r.end('here')).listen(3000)";
const COMPOSE_FILE = `
name: ${PROJECT}
services:
  app:
    image: ${PROJECT}
    init: true
    stop_grace_period: 2s
    deploy: { replicas: 4 }
    entrypoint: [node, -e, "${PROGRAM}"]
    labels: { evenkeel.port: "3000", evenkeel.drain: 100ms }
    healthcheck: { disable: true }
`;

interface Race {
  /** The call of the heal that waits meanwhile. */
  readonly before: "remove" | "create" | "start";
  /** Of four. */
  readonly dies: number;
  /** Absent: a plain `up`. */
  readonly scale?: number;
  /** The numbers that are there in the end. */
  readonly end: readonly number[];
}

/** One of each kind, which differ in what becomes of the one that died. */
const kinds: readonly Race[] = [
  { before: "remove", dies: 3, scale: 2, end: [1, 2] },
  { before: "remove", dies: 2, scale: 5, end: [1, 2, 3, 4, 5] },
  { before: "create", dies: 1, scale: 2, end: [2, 3] },
  { before: "create", dies: 2, end: [1, 3, 4, 5] },
  { before: "start", dies: 3, scale: 1, end: [1] },
  { before: "start", dies: 2, end: [1, 2, 3, 4] },
];

/** With RACES=full. */
const others: readonly Race[] = [
  { before: "remove", dies: 3, scale: 1, end: [1] },
  { before: "remove", dies: 2, scale: 3, end: [1, 2, 3] },
  { before: "remove", dies: 2, end: [1, 2, 3, 4] },
  { before: "create", dies: 3, scale: 1, end: [1] },
  { before: "create", dies: 3, scale: 2, end: [1, 2] },
  { before: "create", dies: 4, end: [1, 2, 3, 4] },
  { before: "start", dies: 2, scale: 3, end: [1, 2, 3] },
];

const scope = fileScope();
let project: Project;

before(async () => {
  if (skip === false) project = await bringUp(scope, COMPOSE_FILE);
});

for (const race of process.env.RACES === "full" ? [...kinds, ...others] : kinds) {
  const { scale, dies, end } = race;
  const up = scale === undefined ? "up" : `up --scale app=${scale}`;
  test(`${up} before the ${race.before} of a heal of app-${dies} ends with ${end}`, { skip }, (t) => raced(t, race));
}

/** By number, the containers that there are. */
async function replicas(): Promise<ReadonlyMap<number, { id: string; runs: boolean }>> {
  const all = await inspectThere<Document>(await containersOf("app"));
  const entries = all.map(({ Id, Config, State }): [number, { id: string; runs: boolean }] => {
    const labels = Config.Labels as Readonly<Record<string, string>>;
    return [Number(labels["com.docker.compose.container-number"]), { id: Id, runs: State.Running }];
  });
  return new Map(entries.sort(([one], [other]) => one - other));
}

async function raced(outer: TestContext, { before: at, dies, scale, end }: Race): Promise<void> {
  const t = inReverse(outer);
  await project.compose("up", "--detach", "--scale", "app=0");
  await project.compose("up", "--detach");
  const first = await replicas();
  assert.deepEqual([...first.keys()], [1, 2, 3, 4]);
  const directory = await temporaryDirectory(t);
  const { path: engine } = await filteredSocket(t, { directory });
  const [come, go] = [new AbortController(), new AbortController()];
  const until = once(go.signal, "abort");
  const { path } = await tollSocket(t, { engine, at, onAnswered: () => come.abort(), until });
  const watchdog = await startWatchdog(t, { directory, socket: path });
  for (const number of first.keys()) await watchdog.serves(`app-${number}`);

  await docker("kill", first.get(dies)?.id as string);
  await eventually(`the ${at} of the heal`, () => come.signal.aborted, WITHIN_MS);
  const words = scale === undefined ? [] : ["--scale", `app=${scale}`];
  await project.compose("up", "--detach", ...words);
  go.abort();
  await overIn(watchdog.running.events, `app-${dies}`);
  const settled = async () => {
    const there = await replicas();
    const all = await Promise.all(
      [...there].map(async ([number, { id }]) => (await watchdog.serving(`app-${number}`)) === id),
    );
    return [...there.keys()].join() === end.join() && all.every(Boolean);
  };
  const told = async () =>
    [JSON.stringify([...(await replicas())]), ...watchdog.running.events.map((each) => JSON.stringify(each))].join(
      "\n",
    );
  await eventually(`${end} serve`, settled, WITHIN_MS).catch(async (error) => {
    throw new Error(`${error.message}; it is ${await told()}`);
  });
  for (const [number, { id }] of await replicas())
    if (number !== dies && first.has(number))
      assert.equal(id, first.get(number)?.id, `app-${number} is the one of before`);
  const plan = await project.compose("--dry-run", "up", "--detach", ...words);
  if (scale === undefined && at === "create") return;
  assert.doesNotMatch(plan, /Recreate|Create|Start|Remove|orphan/i, `${plan}\n${await told()}`);
}

/** The heal that was raced with has ended, well or not. */
async function overIn(
  events: readonly { readonly event: string; readonly slot?: unknown }[],
  slot: string,
): Promise<void> {
  const kinds = ["heal-started", "heal-failed", "heal-rolled-back"];
  const isOver = () => events.some((each) => kinds.includes(each.event) && each.slot === slot);
  const last = () =>
    events
      .slice(-20)
      .map((each) => JSON.stringify(each))
      .join("\n");
  await eventually(() => `the heal of ${slot} is over:\n${last()}`, isOver, WITHIN_MS);
}
