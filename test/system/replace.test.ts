// Members replaced one after another under a steady load, in the whole system as child processes: killed, frozen, and ended
// by hand. What that may cost is in tools/load/replacement.ts; replace-compose.test.ts is the same with containers.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { assertReplaced, costOf, notingArrivals } from "../tools/load/replacement.ts";
import { freePort } from "../tools/ports.ts";
import { run } from "../tools/process/run.ts";
import { ProcessSystem } from "../tools/process/system.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const directory = await temporaryDirectory({ after });
const arrivalsFile = join(directory, "arrivals");
const system = await start();
const stage = { balancerPort: system.balancerPort, arrivals: () => readFile(arrivalsFile, "utf8") };

async function start(): Promise<ProcessSystem> {
  const [balancerPort, watchdogPort] = [await freePort(), await freePort()];
  const registryFile = join(directory, "registry.json");
  const watchdog = run({ after }, "main", {
    ROLE: "watchdog",
    ENGINE: "process",
    BALANCER_PORT: String(balancerPort),
    WATCHDOG_PORT: String(watchdogPort),
    REGISTRY_FILE: registryFile,
    ...notingArrivals(arrivalsFile),
  });
  const made = new ProcessSystem(watchdog, { balancerPort, watchdogPort, registryFile });
  after(() => {
    for (const pid of made.alive()) process.kill(pid, "SIGKILL");
  });
  await made.serves();
  return made;
}

const replacements = [
  { what: "a server is killed", member: "server-1", signal: "SIGKILL" },
  { what: "a proxy is killed", member: "proxy-1", signal: "SIGKILL" },
  { what: "a server is frozen", member: "server-2", signal: "SIGSTOP" },
  { what: "a server is told to stop", member: "server-4", signal: "SIGTERM" },
  { what: "a proxy is told to stop", member: "proxy-2", signal: "SIGTERM" },
] as const;

for (const { what, member, signal } of replacements) {
  const orderly = signal === "SIGTERM";
  test(`${what} and replaced under load, which costs ${costOf(orderly)}`, async (t) => {
    await assertReplaced(t, stage, { member, orderly, replace: () => system.healsAfter(signal, member) });
  });
}
