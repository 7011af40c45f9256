// The life every process shares: listen, tell where, be ready, drain, close. One AbortSignal ends it.
// The "listening" line is how the watchdog learns a port (see watchdog/rules/member-reports.ts): only the member itself can say it.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { adminListener, type MemberMetrics } from "./admin.ts";
import { adminServer } from "./admin-server.ts";
import type { Settings } from "./config.ts";
import { Drain, type Drainable } from "./drain.ts";
import type { Log } from "./log.ts";
import { adminPorts, listen } from "./ports.ts";

/** What every role is started with. */
export interface Context {
  readonly settings: Settings;
  readonly log: Log;
  /** Aborted when the process is told to stop. */
  readonly stop: AbortSignal;
  /** The life of one of several workers (services/workers), where this is one. */
  readonly asWorker?: (program: Program, context: Context) => Promise<void>;
}

/** Where a role takes user traffic. */
export interface Traffic {
  /** @returns the port. @throws StartupFailure */
  readonly listen: () => Promise<number>;
  readonly drain: Drainable;
}

/** What a role runs. */
export interface Program {
  /** Takes the user traffic; the client has none. */
  readonly traffic?: Traffic;
  /** Is the link (services/link) spoken where the traffic comes in? */
  readonly link?: boolean;
  readonly ready: () => boolean | Promise<boolean>;
  readonly metrics: MemberMetrics;
  /** Do tiers of ours send it its traffic? Then they have to hear that it stops before it refuses anything. */
  readonly routed?: boolean;
  /** Lets go of what the member holds once its last request is over. */
  readonly close?: () => Promise<void>;
}

/** Lives until `stop`, then drains. Resolves when nothing is left. @throws StartupFailure when it cannot listen */
export async function live(program: Program, context: Context): Promise<void> {
  const { settings, log, stop, asWorker } = context;
  if (asWorker !== undefined) return asWorker(program, context);
  const ready = () => !stop.aborted && program.ready();
  const admin = adminServer(adminListener({ ready, metrics: program.metrics }));
  const adminDrain = new Drain(admin);
  const { traffic } = program;
  const port = await traffic?.listen();
  const adminPort = await listen(admin, settings.HOST, adminPorts(settings));
  await announce({ port, adminPort, ...(program.link && { link: 1 }) }, { settings, log });

  if (!stop.aborted) await once(stop, "abort");
  log("draining", { deadlineMs: settings.DRAIN_TIMEOUT_MS });
  traffic?.drain.begin();
  // "draining" has to reach the watchdog, and from it the tiers, while this member still takes what is on its way to it: a
  // POST on a connection that closes under it could not be repeated.
  if (program.routed) await delay(settings.DRAIN_GRACE_MS);
  const drained = await traffic?.drain.drain(settings.DRAIN_TIMEOUT_MS);
  await program.close?.();
  await adminDrain.drain(0);
  log("stopped", { cut: drained?.cut ?? 0, upgradesEnded: drained?.upgradesEnded ?? 0 });
}

interface Ports {
  readonly port: number | undefined;
  readonly adminPort: number;
  readonly link?: 1;
}

async function announce(ports: Ports, { settings, log }: Pick<Context, "settings" | "log">): Promise<void> {
  const { GROUP: group, HOST: host } = settings;
  log("listening", { group, host, ...ports, pid: process.pid, node: process.version });
  await tellHealthCheck(settings, { port: ports.adminPort, path: "/healthz" });
}

/** Leaves word for the image's health check (healthcheck.sh), where there is one. */
export async function tellHealthCheck(
  { LISTENING_FILE }: Pick<Settings, "LISTENING_FILE">,
  { port, path }: { readonly port: number; readonly path: string },
): Promise<void> {
  if (LISTENING_FILE !== undefined) await writeFile(LISTENING_FILE, `${port} ${path}\n`);
}
