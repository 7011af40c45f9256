// The watchdog killed after each single call by which a scale changes a container: the engine has done it, and nobody has heard. Whatever that
// leaves, the next watchdog ends the scale: as many as were ordered, or as before where one more cannot start, and Compose finds nothing to do.

import assert from "node:assert/strict";
import { before, type TestContext, test } from "node:test";
import { containersOf, PROJECT } from "../tools/docker/containers.ts";
import { dockerSkip as skip } from "../tools/docker/docker.ts";
import { bringUp, type Project } from "../tools/docker/stage.ts";
import { doomedWatchdog, startWatchdog } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { freePort } from "../tools/ports.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope, inReverse } from "../tools/scope.ts";

const WITHIN_MS = 60_000;
const PROGRAM = "require('node:http').createServer((q, r) => r.end('here')).listen(3000)";

const service = `
    image: ${PROJECT}
    init: true
    stop_grace_period: 1s
    entrypoint: [node, -e, "${PROGRAM}"]
    labels: { evenkeel.port: "3000", evenkeel.drain: 100ms }
    healthcheck: { disable: true }
`;

interface Case {
  readonly service: "app" | "only";
  readonly from: number;
  readonly to: number;
  readonly end: number;
  /** The calls that change a container, in their order. */
  readonly changes: readonly string[];
}

const cases: readonly Case[] = [
  { service: "app", from: 1, to: 2, end: 2, changes: ["create", "start"] },
  { service: "app", from: 2, to: 1, end: 1, changes: ["stop", "remove"] },
  // Its port of the host is taken by the first one.
  { service: "only", from: 1, to: 2, end: 1, changes: ["create", "start", "stop", "remove"] },
];

const scope = fileScope();
let project: Project;

before(async () => {
  if (skip !== false) return;
  // Two pools need routes of their own.
  const only = `${service.replace("labels: {", "labels: { evenkeel.path: /only,")}    ports: ["127.0.0.1:${await freePort()}:3000"]\n`;
  project = await bringUp(scope, `name: ${PROJECT}\nservices:\n  app:${service}  only:${only}`);
});

for (const scale of cases) {
  test(`a watchdog killed after any call of a scale of ${scale.service} from ${scale.from} to ${scale.to} leaves what the next one ends with ${scale.end}`, {
    skip,
  }, async (t) => {
    for (let at = 1; at <= scale.changes.length; at += 1) await interrupted(t, scale, at);
  });
}

test("docker compose down -v leaves nothing after all of these scales", { skip }, async () => {
  await project.compose("down", "--volumes", "--timeout", "2");
  assert.deepEqual(await project.leftovers(), []);
});

/** The watchdog is killed after so many changes. */
async function interrupted(
  outer: TestContext,
  { service, from, to, end, changes: wanted }: Case,
  at: number,
): Promise<void> {
  const t = inReverse(outer);
  await project.compose("up", "--detach", "--scale", `${service}=${from}`);
  const directory = await temporaryDirectory(t);
  const { watchdog, changes, isKilled } = await doomedWatchdog(t, { directory, at });
  for (let number = 1; number <= from; number += 1) await watchdog.serves(`${service}-${number}`);
  await watchdog.order(`/api/scales/${service}`, { replicas: to });
  await eventually(() => `it is killed, after ${changes}`, isKilled, WITHIN_MS);
  await watchdog.kill();
  assert.deepEqual(changes, wanted.slice(0, at));

  const heir = await startWatchdog(t, { directory });
  await heir.running.event("scale-turned", { service, phase: end === to ? "done" : "undone" });
  for (let number = 1; number <= end; number += 1) await heir.serves(`${service}-${number}`);
  assert.equal((await containersOf(service)).length, end, `after ${changes}`);
  await heir.kill();
  const plan = await project.compose("--dry-run", "up", "--detach", "--scale", `${service}=${end}`);
  assert.doesNotMatch(plan, /Recreate|Create|Start|Stop|Remov|orphan/i, `after ${changes}`);
}
