// The watchdog killed after each single call by which a roll changes a container: the engine has done it, and nobody has heard. Whatever
// that leaves, the next watchdog ends the roll: the new version everywhere, and Compose finds nothing to do.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { containersOf, inspect, PROJECT } from "../tools/docker/containers.ts";
import { dockerSkip as skip } from "../tools/docker/docker.ts";
import { bringUp, type Project } from "../tools/docker/stage.ts";
import { doomedWatchdog, startWatchdog } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const WITHIN_MS = 60_000;
/** Of a roll of one replica: the sample is started; the replica stopped, removed, made and started; the sample stopped and removed. */
const CHANGES = ["start", "stop", "remove", "create", "start", "stop", "remove"];
const PROGRAM = "require('node:http').createServer((q, r) => r.end('here')).listen(3000)";

const composeFile = (version: number) => `
name: ${PROJECT}
services:
  app:
    image: ${PROJECT}
    init: true
    stop_grace_period: 1s
    entrypoint: [node, -e, "${PROGRAM}"]
    environment: { VERSION: "${version}" }
    labels: { evenkeel.port: "3000", evenkeel.update.monitor: 100ms, evenkeel.drain: 100ms }
    healthcheck: { disable: true }
`;

const scope = fileScope();
let project: Project;

before(async () => {
  if (skip === false) project = await bringUp(scope, composeFile(0));
});

test("a watchdog killed after any call of a roll leaves what the next one ends", { skip }, async (t) => {
  for (let at = 1; at <= CHANGES.length; at += 1) {
    const changes = await interrupted(t, at);
    assert.deepEqual(changes, CHANGES.slice(0, at), `${changes}`);
  }
});

test("docker compose down -v leaves nothing after all of these rolls", { skip }, async () => {
  await project.compose("down", "--volumes", "--timeout", "2");
  assert.deepEqual(await project.leftovers(), []);
});

/** A roll to the version of that number, whose watchdog is killed after so many changes, and what the next one makes of it. */
async function interrupted(t: TestContext, at: number): Promise<readonly string[]> {
  const directory = await temporaryDirectory(t);
  const next = join(directory, "compose.yml");
  await writeFile(next, composeFile(at));
  await project.compose("-f", next, "up", "--no-start", "--no-recreate", "--scale", "app=2", "app");
  const { watchdog, changes, isKilled } = await doomedWatchdog(t, { directory, at });
  await watchdog.serves("app-1");
  await watchdog.order("/api/rolls/app");
  await eventually(() => `it is killed, after ${changes}`, isKilled, WITHIN_MS);
  await watchdog.kill();

  const heir = await startWatchdog(t, { directory });
  const settled = async () => {
    const ids = await containersOf("app");
    return ids.length === 1 && ids[0] === (await heir.serving("app-1"));
  };
  await eventually(`one is left, and serves, after ${changes}`, settled, WITHIN_MS);
  await heir.kill();
  const [id] = await containersOf("app");
  assert.ok((await inspect(id as string)).Config.Env?.includes(`VERSION=${at}`), `it is version ${at}`);
  const plan = await project.compose("-f", next, "--dry-run", "up", "--detach");
  assert.match(plan, new RegExp(`${PROJECT}-app-1 +Running`));
  assert.doesNotMatch(plan, /Recreate|Create|Start|Remove|orphan/i);
  return changes;
}
