// Golden comparison on a real engine: two services that use every field a heal could lose, inspected before and after, with an
// explicit list of what may differ. Anything else that does fails.

import assert from "node:assert/strict";
import { before, type TestContext, test } from "node:test";
import { containersOf, type Document, inspect, PROJECT } from "../tools/docker/containers.ts";
import { differences, named } from "../tools/docker/differences.ts";
import { docker, inspectThere, dockerSkip as skip } from "../tools/docker/docker.ts";
import { bringUp, type Project } from "../tools/docker/stage.ts";
import { MAY_DIFFER, twinComposeFile } from "../tools/docker/twin.ts";
import { startWatchdog, type WatchdogProcess } from "../tools/docker/watchdog.ts";
import { eventually } from "../tools/eventually.ts";
import { freePort } from "../tools/ports.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const HEALS_WITHIN_MS = 30_000;
const scope = fileScope();
let project: Project;
let watchdog: WatchdogProcess;
let first: Document;
let second: Document;

before(async () => {
  if (skip !== false) return;
  const network = 64 + (process.pid % 64);
  project = await bringUp(scope, twinComposeFile({ fixed: await freePort(), network }));
  watchdog = await startWatchdog(scope, { directory: await temporaryDirectory(scope) });
  first = await inspect(await watchdog.serves("first"));
  second = await inspect(await watchdog.serves("second"));
});

test("a heal keeps all that can be set of a container, and so does a heal after it", { skip }, async (t) => {
  let now = first;
  for (const time of ["first", "second"]) {
    await docker("kill", now.Id);
    now = await inspect(await watchdog.serves("first", now.Id));
    assertTwins(t, time, [first, now], (document) => ({ [document.Id]: "self" }));
  }
});

test("one that shares its network, memory and volumes is made anew behind it, with its new id", { skip }, async (t) => {
  const parent = await onlyOne("first");
  const joined = async () => {
    const [id, ...others] = await containersOf("second");
    // It may be made anew once more in just this moment.
    if (id === undefined || others.length > 0 || id === second.Id) return undefined;
    const [document] = await inspectThere<Document>([id]);
    const serves = parentOf(document) === parent && (await watchdog.serving("second")) === id;
    return serves ? document : undefined;
  };
  t.after(() => {});
  const now = await eventually("it shares with the new one, and serves", joined, HEALS_WITHIN_MS);
  assert.equal(parentOf(second), first.Id);
  assertTwins(t, "sharing", [second, now], (document) => ({
    [document.Id]: "self",
    [parentOf(document) as string]: "parent",
  }));
});

test("Compose finds nothing to do but what it always does when the network of another is made anew", {
  skip,
}, async () => {
  const plan = await project.compose("--dry-run", "up", "--detach");
  for (const service of ["first", "other"]) assert.match(plan, new RegExp(`${PROJECT}-${service}-1 +Running`));
  // Its label config-hash covers the id of the one whose network it has (compose pkg/compose/convergence.go).
  assert.match(plan, new RegExp(`${PROJECT}-second-1 +Recreate`));
  assert.doesNotMatch(plan, /orphan|aside/i);
});

/** Every difference has a line of MAY_DIFFER that allows it. */
function assertTwins(
  t: TestContext,
  what: string,
  [was, now]: readonly [Document, Document],
  names: (document: Document) => Readonly<Record<string, string>>,
): void {
  const found = differences(named(was, names(was)), named(now, names(now)));
  const reasonFor = (path: string) => MAY_DIFFER.find(([allowed]) => allowed.test(path))?.[1];
  const reasons = new Set(found.map(({ path }) => reasonFor(path)).filter(Boolean));
  t.diagnostic(`${what}: ${found.length} differences: ${[...reasons].join("; ")}`);
  assert.deepEqual(
    found.filter(({ path }) => reasonFor(path) === undefined),
    [],
  );
}

async function onlyOne(service: string): Promise<string> {
  const ids = await eventually(`one container of ${service}`, async () => {
    const all = await containersOf(service);
    return all.length === 1 ? all : undefined;
  });
  return ids[0] as string;
}

const parentOf = (document: Document | undefined) =>
  /^container:(.+)$/.exec(String(document?.HostConfig.NetworkMode))?.[1];
