// The watchdog killed after each single call by which a heal changes a container: the engine has done it, and nobody has heard.
// Whatever that leaves, the next watchdog brings to one sound container a slot, and Compose never knows.

import assert from "node:assert/strict";
import { before, type TestContext, test } from "node:test";
import { containers, containersOf, inspect, nameOf, PROJECT } from "../tools/docker/containers.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { bringUp, type Project } from "../tools/docker/stage.ts";
import { doomedWatchdog, startWatchdog } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const SERVICES = ["server-1", "server-2"];
const HEALS_WITHIN_MS = 30_000;

const scope = fileScope();
let project: Project;

before(async () => {
  if (skip === false) project = await bringUp(scope);
});

const kill = (id: string) => docker("kill", id);
/** Its own process, not the one with number 1, which only passes signals on. */
const hang = (id: string) => docker("exec", id, "sh", "-c", "kill -STOP $(cat /proc/1/task/1/children)");

/** Each change comes once in a heal. What ended by itself is stopped as well when its silence is noticed first. */
const faults = [
  { what: "killed", slot: "server-2", fault: kill, always: ["rename", "create", "start", "remove"] },
  { what: "hung", slot: "server-1", fault: hang, always: ["rename", "create", "start", "stop", "remove"] },
];

for (const { what, slot, fault, always } of faults) {
  test(`a watchdog killed after any call of the heal of a ${what} member leaves what the next one finishes`, {
    skip,
  }, async (t) => {
    for (const change of always) {
      const changes = await interrupted(t, slot, fault, change);
      assert.equal(changes.at(-1), change, `${changes}`);
    }
    const changes = await interrupted(t, slot, fault, undefined);
    const others = changes.filter((change) => change !== "stop" && !always.includes(change));
    assert.deepEqual([others, new Set(changes).size], [[], changes.length], `${changes}`);
  });
}

/** One heal, whose watchdog is killed after this change, and then what the next one makes of it. */
async function interrupted(t: TestContext, slot: string, fault: (id: string) => Promise<unknown>, change?: string) {
  const directory = await temporaryDirectory(t);
  const labels = await labelsNow();
  const { watchdog, changes, isKilled } = await doomedWatchdog(t, { directory, at: change });
  const old = await watchdog.serves(slot);
  await fault(old);
  const healed = async () => {
    const now = await watchdog.serving(slot);
    return now !== undefined && now !== old && (await containersOf(slot)).length === 1;
  };
  const over = async () => isKilled() || healed();
  await eventually(() => `a heal, after ${changes}`, over, HEALS_WITHIN_MS);
  await watchdog.kill();
  await project.noteVolumes();

  const began = performance.now();
  const next = await startWatchdog(t, { directory });
  // Until the next one has looked, whoever served before serves.
  for (const service of SERVICES) await next.serves(service, service === slot ? old : undefined);
  const settled = async () => (await containers()).length === SERVICES.length;
  await eventually("no previous container", settled, HEALS_WITHIN_MS);
  t.diagnostic(
    `${change ? `killed after ${change}` : "not killed"}: settled in ${Math.round(performance.now() - began)} ms`,
  );
  await next.kill();
  await assertAsBefore(labels);
  assert.deepEqual((await containersOf(slot)).includes(old), false);
  return changes;
}

async function labelsNow() {
  const documents = await Promise.all((await containers()).map(inspect));
  return documents.map(({ Config }) => Config.Labels).sort(byService);
}

async function assertAsBefore(labels: readonly unknown[]): Promise<void> {
  const ids = await containers("status=running");
  const names = await Promise.all(ids.map(nameOf));
  assert.deepEqual(
    names.sort(),
    SERVICES.map((service) => `/${PROJECT}-${service}-1`),
  );
  assert.deepEqual(await labelsNow(), labels);
  const plan = await project.compose("--dry-run", "up", "--detach");
  for (const service of SERVICES) assert.match(plan, new RegExp(`${PROJECT}-${service}-1 +Running`));
  assert.doesNotMatch(plan, /Recreate|Create|Start|Remove|orphan/i);
}

const SERVICE = "com.docker.compose.service";
type Labels = Readonly<Record<string, string>>;
const byService = (one: unknown, other: unknown) =>
  String((one as Labels)[SERVICE]).localeCompare(String((other as Labels)[SERVICE]));

test("docker compose down -v leaves nothing after all of these heals", { skip }, async () => {
  await project.compose("down", "--volumes", "--timeout", "2");
  assert.deepEqual(await project.leftovers(), []);
});
