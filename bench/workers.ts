// `npm run bench:workers`: what a second worker gives a lone balancer that has an idle core for it. This machine's cores are also the load's
// and the servers', so each worker gets a small part of a core as its own: what is left is idle. Prints ratios; it judges nothing.

import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { childrenOf } from "../test/tools/process/pids.ts";
import { startTier } from "../test/tools/process/tiers.ts";
import { entry } from "../test/tools/registry.ts";
import { Children } from "./chain/children.ts";
import { closedLoop } from "./chain/load/closed-loop.ts";
import { type Origins, startOrigins } from "./chain/origins.ts";
import { compilePrograms } from "./chain/programs.ts";
import { SMALL } from "./chain/scenarios.ts";
import { versionOf } from "./chain/tools.ts";
import { Core } from "./workers/core.ts";

const ROUNDS = 5;
const SECONDS = 4;
const WARM_UP_SECONDS = 3;
const CONNECTIONS = 64;
/** Of a core, for each worker. */
const SHARE = 0.15;

/** @returns requests a second of a balancer with so many workers */
async function measure(workers: number, { ports }: Origins): Promise<number> {
  const ends: (() => unknown)[] = [];
  const cores: Core[] = [];
  try {
    const members = ports.map((port, index) => entry(`proxy-${index + 1}`, port));
    const tier = await startTier({ after: (end) => void ends.push(end) }, members, { WORKERS: String(workers) });
    const load = { port: tier.port, connections: CONNECTIONS, request: SMALL };
    // Compiled code is what is compared; a whole core compiles sooner.
    await closedLoop({ ...load, seconds: WARM_UP_SECONDS });
    const pid = tier.child.pid as number;
    // The processes that forward: without workers, the one there is.
    for (const forwarder of workers === 1 ? [pid] : childrenOf(pid)) {
      const core = await Core.make(`evenkeel-bench-${forwarder}`, SHARE);
      cores.push(core);
      await core.take(forwarder);
    }
    const { answers, failed, broken, seconds } = await closedLoop({ ...load, seconds: SECONDS });
    if (failed + broken > 0) throw new Error(`${failed} answers failed, ${broken} did not come`);
    return answers / seconds;
  } finally {
    for (const end of ends.reverse()) await end();
    for (const core of cores) await core.remove();
  }
}

const children = new Children();
const folder = await mkdtemp(join(tmpdir(), "evenkeel-bench-"));
await chmod(folder, 0o755);
try {
  const { standIn } = await compilePrograms(folder);
  const hasNginx = versionOf("nginx") !== undefined;
  const origins = await startOrigins(children, { count: 2, manner: "plain", folder, standIn, hasNginx });
  const ratios: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const [one, two] = [await measure(1, origins), await measure(2, origins)];
    ratios.push(two / one);
    console.log(
      `round ${round}: ${one.toFixed(0)} a second with one worker, ${two.toFixed(0)} with two: ${(two / one).toFixed(2)}`,
    );
  }
  ratios.sort((one, other) => one - other);
  const [least, most] = [ratios[0] ?? 0, ratios.at(-1) ?? 0];
  console.log(
    `two workers to one: ${(ratios[Math.floor(ROUNDS / 2)] ?? 0).toFixed(2)} (${least.toFixed(2)}-${most.toFixed(2)})`,
  );
} finally {
  await children.stopAll();
  await rm(folder, { recursive: true, force: true });
}
