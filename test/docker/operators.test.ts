// What operators do to a system on a real Docker Engine with Compose, and the watchdog has to let them do: above all what they
// stop while no watchdog looks.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { docker, IMAGE, inspectThere, dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** Of the whole system, what one group needs. */
const MEMBERS = ["balancer", "proxy-1", "server-1", "server-2", "server-3"];

/** People name their containers: the watchdog finds itself all the same. */
const MAC = "02:42:0a:63:00:63";
const OVERRIDE = {
  services: {
    watchdog: { hostname: "watchdog" },
    "server-3": { networks: { mesh: null, side: { mac_address: MAC } } },
  },
  networks: { side: null },
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

interface Changed {
  readonly HostConfig: { readonly Memory: number; readonly NanoCpus: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<
      Record<string, { readonly Aliases: readonly string[] | null; readonly MacAddress: string }>
    >;
  };
}

async function changed(service: string): Promise<Changed> {
  const [document] = await inspectThere<Changed>([(await system.container(service)).Id]);
  assert.ok(document);
  return document;
}

/** By a root who may do more than the one in the watchdog's container. */
async function inRegistry(command: string): Promise<string> {
  const { Id } = await system.container("watchdog");
  return docker("run", "--rm", "--user", "root", "--volumes-from", Id, IMAGE, "sh", "-c", command);
}

const killed = async (service: string) =>
  system.healsAfter(service, async () => docker("kill", (await system.container(service)).Id));

test("docker update and docker network connect of a moment before are kept by a heal, and by the next one", {
  skip,
}, async (t) => {
  const { Id } = await system.container("server-2");
  const network = `evenkeel-test-${process.pid}-more`;
  await docker("network", "create", network);
  t.after(async () => {
    await docker("network", "disconnect", "--force", network, (await system.container("server-2")).Id);
    await docker("network", "rm", network);
  });
  await system.healsAfter("server-2", async () => {
    await docker("update", "--memory", "201m", "--memory-swap", "402m", "--cpus", "0.7", Id);
    await docker("network", "connect", "--alias", "another-name", network, Id);
    await docker("kill", Id);
  });
  const assertKept = async () => {
    const { HostConfig, NetworkSettings } = await changed("server-2");
    assert.deepEqual([HostConfig.Memory, HostConfig.NanoCpus], [201 * 1024 * 1024, 700_000_000]);
    assert.deepEqual(NetworkSettings.Networks[network]?.Aliases, ["another-name"]);
  };
  await assertKept();
  await killed("server-2");
  await assertKept();
});

test("the MAC address of a second network is kept by a heal, and by the next one", { skip }, async () => {
  for (const _ of [1, 2]) {
    await killed("server-3");
    const { Networks } = (await changed("server-3")).NetworkSettings;
    const macs = Object.entries(Networks).map(([name, { MacAddress }]) => [name.endsWith("_side"), MacAddress === MAC]);
    assert.deepEqual(macs.sort(), [
      [false, false],
      [true, true],
    ]);
  }
});

test("when somebody has emptied the registry's directory, members are healed, and templates are made again", {
  skip,
}, async () => {
  await inRegistry("rm -rf /run/evenkeel/*");
  await eventually("the templates", async () => (await inRegistry("find /run/evenkeel")).includes("server-1.json"));
  await system.healsAfter("server-1", async () => docker("rm", "--force", (await system.container("server-1")).Id));
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
    await killed("server-1");
    const now = await system.container("server-3");
    assert.deepEqual([now.Id, now.State.Status], [stopped.Id, "exited"]);
    await system.must("start", "server-3");
    await system.shows("server-3", "serving", ({ state }) => state === "serving");
  });
}
