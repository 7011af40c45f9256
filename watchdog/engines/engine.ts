// An engine: a discovery and a runner that belong together. Two adapters, docker/ and process/, pass one contract suite
// (test/watchdog/engine.contract.ts). A third, swarm/, is a discovery alone: Swarm itself starts and replaces its members.

import type { Settings } from "../../services/runtime/config.ts";
import type { Log } from "../../services/runtime/log.ts";
import type { Discovery } from "./discovery.ts";
import type { Runner } from "./runner.ts";

export interface Engine {
  readonly discovery: Discovery;
  readonly runner: Runner;
}

/** It starts and replaces members by itself, and is only observed. */
export interface ObservedEngine {
  readonly discovery: Discovery;
  readonly runner?: never;
}

/** Opens the engine that ENGINE names. dockerode is loaded only where it is used. @throws StartupFailure */
export async function openEngine(settings: Settings, log: Log): Promise<Engine | ObservedEngine> {
  if (settings.ENGINE === "process") return (await import("./process/engine.ts")).openProcessEngine(settings, { log });
  if (settings.ENGINE === "swarm") return (await import("./swarm/engine.ts")).openSwarmEngine(settings);
  return (await import("./docker/engine.ts")).openDockerEngine(settings, log);
}

/** Has the watchdog of this name ended, by the engine's word? False: it runs, or the engine does not say. */
export async function watchdogHasEnded(id: string, settings: Settings): Promise<boolean> {
  if (settings.ENGINE !== "docker") return false;
  return (await import("./docker/has-ended.ts")).containerHasEnded(id, settings);
}
