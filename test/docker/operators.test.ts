// What operators do to a system on a real Docker Engine with Compose, and the watchdog has to let them do: above all what they
// stop while no watchdog looks.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { docker, dockerSkip as skip } from "../tools/docker/docker.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** Of the whole system, what one group needs. */
const MEMBERS = ["balancer", "proxy-1", "server-1", "server-2", "server-3"];

/** People name their containers: the watchdog finds itself all the same. */
const OVERRIDE = {
  services: { watchdog: { hostname: "watchdog" } },
};

const scope = fileScope();
let system: ComposeSystem;

before(async () => {
  if (skip !== false) return;
  const override = join(await temporaryDirectory(scope), "named.json");
  await writeFile(override, JSON.stringify(OVERRIDE));
  system = await emptyProject(scope, override);
  await system.must("up", "--build", "--wait", "--no-deps", ...MEMBERS, "watchdog");
});

/** `docker compose start` would start all that it depends on. */
const startWatchdog = () => system.must("up", "--detach", "--no-deps", "watchdog");

test("what an interrupted docker compose up --force-recreate has left unstarted is started in the end", {
  skip,
}, async () => {
  const before = await system.container("server-2");
  // Comes as far as an up that is interrupted: the one before is stopped and removed, the next one made and named.
  await system.must("create", "--force-recreate", "--no-build", "server-2");
  assert.equal((await system.container("server-2")).State.Status, "created");
  await system.shows("server-2", "serving", ({ state }) => state === "serving");
  const now = await system.container("server-2");
  const hash = "com.docker.compose.config-hash";
  assert.deepEqual([now.Name, now.Config.Labels[hash]], [before.Name, before.Config.Labels[hash]]);
});

const whileAway = {
  "the watchdog was stopped": async () => {
    await system.must("stop", "watchdog");
    await system.must("stop", "server-3");
    await startWatchdog();
  },
  "the watchdog was being restarted": async () => {
    await Promise.all([
      system.must("restart", "--no-deps", "watchdog"),
      system.must("stop", "--timeout", "1", "server-3"),
    ]);
  },
  "all was stopped, and all but one were started again": async () => {
    await system.must("stop");
    await system.must("up", "--detach", "--no-deps", "balancer", "proxy-1", "server-1", "server-2");
    await startWatchdog();
  },
};

for (const [when, act] of Object.entries(whileAway)) {
  test(`a service that somebody stopped while ${when} stays stopped`, { skip }, async () => {
    const stopped = await system.container("server-3");
    await act();
    await system.shows("server-3", "stopped", ({ life }) => life === "stopped on purpose");
    // Another one's heal shows that the watchdog has had the time to think about this one too.
    await system.shows("server-1", "serving", ({ state }) => state === "serving");
    await system.healsAfter("server-1", async () => docker("kill", (await system.container("server-1")).Id));
    const now = await system.container("server-3");
    assert.deepEqual([now.Id, now.State.Status], [stopped.Id, "exited"]);
    await system.must("start", "server-3");
    await system.shows("server-3", "serving", ({ state }) => state === "serving");
  });
}
