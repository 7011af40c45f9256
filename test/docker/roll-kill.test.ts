// The watchdog killed after each single call by which a roll changes a container: the engine has done it, and nobody has heard. Whatever
// that leaves, the next watchdog ends the roll: what was wanted everywhere, and Compose finds nothing to do. With KILLS=full of every
// kind of roll, which takes some minutes.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, type TestContext, test } from "node:test";
import { containersOf, inspect, PROJECT } from "../tools/docker/containers.ts";
import { docker, IMAGE, dockerSkip as skip } from "../tools/docker/docker.ts";
import { bringUp, type Project } from "../tools/docker/stage.ts";
import { doomedWatchdog, startWatchdog, type WatchdogProcess } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const WITHIN_MS = 60_000;
const PROGRAM = "require('node:http').createServer((q, r) => r.end('here')).listen(3000)";

interface Kind {
  readonly is: string;
  /** Of a roll of one replica. */
  readonly changes: readonly string[];
  /** What comes before the order, in a directory of the watchdog's. */
  readonly prepare: (t: TestContext, directory: string) => Promise<Wanted>;
}

interface Wanted {
  /** The body of the order. */
  readonly to?: "former" | "image";
  /** The Compose file, and what its one container has in its environment or its labels. */
  readonly file: string;
  readonly has: string;
}

const scope = fileScope();
let project: Project;
/** Those that run. */
let version = 0;
let release = 0;
/** The images of those releases. */
const built: string[] = [];

before(async () => {
  if (skip === false) project = await bringUp(scope, composeFile());
});

/** The sample is started; the replica stopped, removed, made and started; the sample stopped and removed. */
const usual: Kind = {
  is: "roll",
  changes: ["start", "stop", "remove", "create", "start", "stop", "remove"],
  prepare: (_, directory) => sample(directory),
};

/** What is done first is that the sample is made: of the newer image, or of the version before. */
const byUs = ["create", ...usual.changes];

/** What stops first comes last: its label stays. */
const others: readonly Kind[] = [
  {
    is: "roll to a newer image",
    changes: byUs,
    prepare: async (_, directory) => {
      const file = await written(directory);
      release += 1;
      await writeFile(join(directory, "Dockerfile"), `FROM ${IMAGE}\nLABEL release=${release}\n`);
      built.push(await docker("build", "--quiet", "--tag", PROJECT, directory));
      return { to: "image", file, has: `release=${release}` };
    },
  },
  {
    is: "rollback",
    changes: byUs,
    prepare: async (t, directory) => {
      const [file, has] = [await written(directory), `VERSION=${version}`];
      const later = await sample(directory);
      const watchdog = await startWatchdog(t, { directory });
      await kept(directory, 1);
      await watchdog.order("/api/rolls/app");
      await rolled(watchdog, later);
      await kept(directory, 2);
      await watchdog.stop();
      version -= 1;
      return { to: "former", file, has };
    },
  },
  {
    is: "roll that stops first",
    changes: usual.changes.slice(1),
    prepare: (_, directory) => sample(directory, "stop-first"),
  },
];

for (const kind of process.env.KILLS === "full" ? [usual, ...others] : [usual]) {
  test(`a watchdog killed after any call of a ${kind.is} leaves what the next one ends`, { skip }, async (t) => {
    for (let at = 1; at <= kind.changes.length; at += 1) {
      const changes = await interrupted(t, kind, at);
      assert.deepEqual(changes, kind.changes.slice(0, at), `${changes}`);
    }
  });
}

test("docker compose down -v leaves nothing after all of these rolls", { skip }, async () => {
  await project.compose("down", "--volumes", "--timeout", "2");
  assert.deepEqual(await project.leftovers(), []);
  // The last of them has the project's name, and goes with it.
  for (const image of built.slice(0, -1)) await docker("rmi", "--force", image);
});

/** One such roll, whose watchdog is killed after so many changes, and what the next one makes of it. */
async function interrupted(t: TestContext, { prepare }: Kind, at: number): Promise<readonly string[]> {
  const directory = await temporaryDirectory(t);
  const wanted = await prepare(t, directory);
  const { watchdog, changes, isKilled } = await doomedWatchdog(t, { directory, at });
  await watchdog.serves("app-1");
  await watchdog.order("/api/rolls/app", wanted.to && { to: wanted.to });
  await eventually(() => `it is killed, after ${changes}`, isKilled, WITHIN_MS);
  await watchdog.kill();
  const heir = await startWatchdog(t, { directory });
  await rolled(heir, wanted, `after ${changes}`);
  await heir.kill();
  const plan = await project.compose("-f", wanted.file, "--dry-run", "up", "--detach");
  assert.match(plan, new RegExp(`${PROJECT}-app-1 +Running`));
  assert.doesNotMatch(plan, /Recreate|Create|Start|Remove|orphan/i);
  return changes;
}

/** One is left, it serves, and it is as wanted. */
async function rolled(watchdog: WatchdogProcess, { has }: Wanted, when = ""): Promise<void> {
  const settled = async () => {
    const [id, ...more] = await containersOf("app");
    if (id === undefined || more.length > 0 || id !== (await watchdog.serving("app-1"))) return false;
    const { Env, Labels } = (await inspect(id)).Config;
    return [...(Env ?? []), ...Object.entries(Labels ?? {}).map((pair) => pair.join("="))].includes(has);
  };
  await eventually(`one is left, and serves, and has ${has} ${when}`, settled, WITHIN_MS);
}

/** So many versions of the service are written down as ones that have worked. */
async function kept(directory: string, count: number): Promise<void> {
  const file = join(directory, "versions/app.json");
  const versions = async () => (JSON.parse(await readFile(file, "utf8").catch(() => "[]")) as unknown[]).length;
  await eventually(`${count} versions are kept`, async () => (await versions()) === count, WITHIN_MS);
}

/** A sample of the next version stands beside the replica. */
async function sample(directory: string, order?: "stop-first"): Promise<Wanted> {
  version += 1;
  const file = await written(directory, order);
  await project.compose("-f", file, "up", "--no-start", "--no-recreate", "--scale", "app=2", "app");
  return { file, has: `VERSION=${version}` };
}

async function written(directory: string, order?: "stop-first"): Promise<string> {
  const file = join(directory, `compose-${version}.yml`);
  await writeFile(file, composeFile(order));
  return file;
}

function composeFile(order?: "stop-first"): string {
  return `
name: ${PROJECT}
services:
  app:
    image: ${PROJECT}
    init: true
    stop_grace_period: 1s
    entrypoint: [node, -e, "${PROGRAM}"]
    environment: { VERSION: "${version}" }
    labels:
      evenkeel.port: "3000"
      evenkeel.update.monitor: 100ms
      evenkeel.drain: 100ms
      ${order === undefined ? "" : `evenkeel.update.order: ${order}`}
    healthcheck: { disable: true }
`;
}
