// A server that ends as soon as it has started, whatever is put in its place, on a real Docker Engine with Compose: tried a few
// times, then quarantined for all to see, while everything else goes on; and mended by hand it is back.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { exitCode } from "../../services/runtime/exit.ts";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { assertNoneFailed, type Load, loadOn } from "../tools/load/load.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** Of the whole system, what one group needs. */
const SERVICES = ["balancer", "proxy-1", "server-1", "server-2", "watchdog"];
const BROKEN = { services: { "server-2": { environment: { PORT_RANGE: "none" } } } };
/** One more than the score it may have (watchdog/restart.ts), as none of them serves. */
const TRIES = 6;
const OVER_WITHIN_MS = 30_000;

const scope = fileScope();
let system: ComposeSystem;
let broken: string;
let load: Load;

before(async () => {
  if (skip !== false) return;
  broken = join(await temporaryDirectory(scope), "broken.json");
  await writeFile(broken, JSON.stringify(BROKEN));
  system = await emptyProject(scope);
  await system.must("up", "--build", "--wait", "--no-deps", ...SERVICES);
  await system.serves();
  load = loadOn(scope, system.balancerPort, { get: { perSecond: 20 } });
});

const up = (...files: readonly string[]) => system.with(files).must("up", "-d", "--no-deps", "server-2");

test("a server whose successors end at once is tried a few times, and then quarantined visibly", {
  skip,
}, async (t) => {
  const beganMs = performance.now();
  await up(broken);
  await system.shows("server-2", "quarantined", ({ restarts }) => restarts.kind === "quarantined");
  t.diagnostic(`quarantined after ${Math.round(performance.now() - beganMs)} ms`);
  const incidents = await system.incidents("server-2");
  assert.equal(incidents.length, TRIES, JSON.stringify(incidents));
  // The last one is about to.
  for (const { outcome } of incidents.slice(0, -1)) assert.equal(outcome, "failed");
  for (const { cause, exit } of incidents) {
    assert.deepEqual([cause, exit?.code], [`it exited with code ${exitCode.settings}`, exitCode.settings]);
  }
  const { code, stdout } = await system.compose("exec", "-T", "watchdog", "node", "watchdogctl.js", "status");
  assert.match(stdout, /^server-2 .*quarantined/m);
  assert.equal(code, 0);
});

test("meanwhile it is one container of Compose's, and no previous one", { skip }, async () => {
  const over = async () => (await system.incidents("server-2")).at(-1)?.outcome === "failed";
  await eventually("the last try is over", over, OVER_WITHIN_MS);
  await system.settled(SERVICES.length);
  const { Name } = await system.container("server-2");
  assert.match(Name, /^\/evenkeel-test-\d+-server-2-1$/);
});

test("mended by hand it serves again, although it is still on probation", { skip }, async () => {
  const failed = (await system.incidents("server-2")).length;
  await up();
  await system.shows("server-2", "serving", ({ state }) => state === "serving");
  await load.more(1, "server-2");
  assert.equal((await system.incidents("server-2")).length, failed);
});

test("all the while no GET has failed, and nothing else was healed", { skip }, async (t) => {
  await load.finish();
  t.diagnostic(`${load.get.sent.length} GETs`);
  await assertNoneFailed(load);
  const slots = new Set((await system.incidents()).map(({ slot }) => slot));
  assert.deepEqual([...slots], ["server-2"]);
});
