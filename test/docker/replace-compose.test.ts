// Members replaced one after another under a steady load, in the whole system on a real Docker Engine: killed, frozen,
// paused, and restarted by hand. What that may cost is in tools/load/replacement.ts; replace.test.ts is the same with processes.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { dockerSkip as skip } from "../tools/docker/docker.ts";
import type { Load } from "../tools/load/load.ts";
import { assertReplaced, costOf, notingArrivals, type Stage } from "../tools/load/replacement.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

/** On top of docker-compose.yml: every server notes its arrivals in one volume, of which the client reads. */
const VOLUME = "arrivals:/arrivals";
const FILE = "/arrivals/posts";
const servers = [1, 2, 3, 4, 5, 6].map((number) => `server-${number}`);
const OVERRIDE = {
  services: Object.fromEntries([
    ...servers.map((id) => [id, { environment: notingArrivals(FILE), volumes: [VOLUME] }]),
    ["client", { volumes: [VOLUME] }],
  ]),
  // In memory, and open to all: members run as node, and a fresh volume on disk is root's.
  volumes: { arrivals: { driver_opts: { type: "tmpfs", device: "tmpfs", o: "mode=1777" } } },
};

const scope = fileScope();
let system: ComposeSystem;
let stage: Stage;

before(async () => {
  if (skip !== false) return;
  const override = join(await temporaryDirectory(scope), "arrivals.json");
  await writeFile(override, JSON.stringify(OVERRIDE));
  system = await emptyProject(scope, override);
  await system.must("up", "--build", "--wait");
  await system.serves();
  stage = { balancerPort: system.balancerPort, arrivals: () => system.must("exec", "-T", "client", "cat", FILE) };
});

const replacements = [
  { what: "a server is killed", member: "server-1", orderly: false, act: () => system.must("kill", "server-1") },
  { what: "a proxy is killed", member: "proxy-1", orderly: false, act: () => system.must("kill", "proxy-1") },
  { what: "a server is frozen", member: "server-2", orderly: false, act: () => system.signal("server-2", "STOP") },
  { what: "a server is restarted", member: "server-4", orderly: true, act: () => system.must("restart", "server-4") },
  { what: "a proxy is restarted", member: "proxy-2", orderly: true, act: () => system.must("restart", "proxy-2") },
];

for (const { what, member, orderly, act } of replacements) {
  test(`on Docker ${what} under load, which costs ${costOf(orderly)}`, { skip }, async (t) => {
    await assertReplaced(t, stage, { member, orderly, replace: () => system.healsAfter(member, act) });
  });
}

test("on Docker a server is paused under load: GETs do not wait for it, POSTs do, and none fails", {
  skip,
}, async (t) => {
  const replace = async (load: Load) => {
    await system.must("pause", "server-5");
    await system.shows("server-5", "down", ({ state }) => state === "down");
    await load.caughtUp();
    await system.must("unpause", "server-5");
  };
  await assertReplaced(t, stage, { member: "server-5", orderly: true, replace });
});
