// Members replaced one after another under a steady load, in the whole system as child processes: killed, frozen, and ended
// by hand. What that may cost is in tools/load/replacement.ts; replace-compose.test.ts is the same with containers.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { assertReplaced, costOf, notingArrivals } from "../tools/load/replacement.ts";
import { startSystem } from "../tools/process/system.ts";
import { temporaryDirectory } from "../tools/registry.ts";

const directory = await temporaryDirectory({ after });
const arrivalsFile = join(directory, "arrivals");
const system = await startSystem({ after }, notingArrivals(arrivalsFile));
const stage = { balancerPort: system.balancerPort, arrivals: () => readFile(arrivalsFile, "utf8") };

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
