// A watchdog that waits for another one's lease: it answers on its port that it stands by, so that it counts as healthy, and
// answers everything else with the name of the leader.

import express, { type Express } from "express";
import { adminServer } from "../../services/runtime/admin-server.ts";
import { Drain } from "../../services/runtime/drain.ts";
import { StartupFailure } from "../../services/runtime/exit.ts";
import { type Context, tellHealthCheck } from "../../services/runtime/lifecycle.ts";
import { listen, trafficPorts } from "../../services/runtime/ports.ts";
import type { Leader, Lease } from "./lease.ts";

/** A watchdog that is alone leads well within this, and needs no standby's port. */
const ALONE_MS = 400;

const STANDING_BY = {
  type: "urn:evenkeel:problem:standing-by",
  title: "This watchdog stands by: another one leads",
  status: 503,
} as const;

/** Waits until we lead. @throws the reason of `stop` */
export async function standBy(lease: Lease, { settings, log, stop }: Context): Promise<void> {
  const leading = lease.lead();
  const alone = await Promise.race([leading.then(() => true), later(ALONE_MS)]);
  if (alone) return;
  const server = adminServer(standbyApp(() => lease.leader()));
  const drain = new Drain(server);
  const port = await listen(server, settings.HOST, trafficPorts(settings)).catch((error) =>
    refuse(error, lease.leader()),
  );
  await tellHealthCheck(settings, { port, path: "/readyz" });
  log("listening", { host: settings.HOST, port, adminPort: port, standby: true, pid: process.pid });
  try {
    await leading;
  } finally {
    await drain.drain(0);
    if (stop.aborted) log("stopped");
  }
}

/** On one port with the leader it is most likely the same system, started twice. */
function refuse(error: unknown, leader: Leader | undefined): never {
  if (!(error instanceof StartupFailure)) throw error;
  const fix = "stop that one; or, for another system beside it, set REGISTRY_FILE and BALANCER_PORT too";
  throw new StartupFailure(
    error.exitCode,
    `${leader?.id ?? "another watchdog"} leads here already, and ${error.message}, or ${fix}`,
  );
}

function standbyApp(leader: () => Leader | undefined): Express {
  const app = express();
  app.disable("x-powered-by");
  app.get(["/healthz", "/readyz"], (_request, response) => {
    response.type("text").send("standing by\n");
  });
  app.use(({ path }, response) => {
    const { id = "nobody", epoch = 0 } = leader() ?? {};
    // As `docker ps` shows it, where it is a container's.
    const shown = /^[0-9a-f]{64}$/.test(id) ? `container ${id.slice(0, 12)}` : id;
    const fix = "ask that one, or restart it, and this one leads";
    const detail = `this watchdog stands by: ${shown} leads, by epoch ${epoch}; ${fix}`;
    // As api/v1/contract/problems.ts has it, and beside it what the older API answers with.
    const problem = { ...STANDING_BY, detail, instance: path, error: detail };
    response.status(503).type("application/problem+json").json(problem);
  });
  return app;
}

async function later(ms: number): Promise<false> {
  await new Promise((resolve) => setTimeout(resolve, ms).unref());
  return false;
}
