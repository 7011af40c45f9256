// The engine on a Swarm: a discovery and no runner. Swarm starts, replaces and updates; we balance, eject, retry, drain and show.

import type { Settings } from "../../../services/runtime/config.ts";
import { exitCode, StartupFailure } from "../../../services/runtime/exit.ts";
import { connect, inspectSelf } from "../docker/connection.ts";
import type { ObservedEngine } from "../engine.ts";
import { SwarmDiscovery } from "./discovery.ts";
import { stackOf } from "./manager.ts";

type SwarmSettings = Pick<Settings, "DOCKER_SOCKET" | "STACK">;

/** @throws StartupFailure when the engine is no Swarm manager, or nobody says which stack is meant */
export async function openSwarmEngine({ DOCKER_SOCKET, STACK: set }: SwarmSettings): Promise<ObservedEngine> {
  const connection = await connect(DOCKER_SOCKET);
  await connection.calls.listNodes().catch((error: RefusedCall) => refuseWorker(DOCKER_SOCKET, error));
  const self = await inspectSelf(connection);
  const stack = set ?? stackOf(self?.Config.Labels ?? {});
  if (stack === undefined) {
    const fix = "start it with docker stack deploy, or set STACK to the stack to watch";
    throw new StartupFailure(exitCode.settings, `the watchdog is no part of a stack: ${fix}`);
  }
  const networks = new Set(Object.keys(self?.NetworkSettings.Networks ?? {}));
  return { discovery: new SwarmDiscovery(connection, { stack, networks }) };
}

interface RefusedCall {
  readonly statusCode?: number;
  readonly json?: { readonly message?: string };
}

/** A manager that has lost its quorum comes back, and is asked again by each round. */
function refuseWorker(socket: string, { json }: RefusedCall): void {
  if (!json?.message?.includes("not a swarm manager")) return;
  const fix = "place the watchdog with node.role == manager, as deploy/swarm/stack.yaml does";
  throw new StartupFailure(exitCode.engineRefused, `the engine at ${socket} is no Swarm manager: ${fix}`);
}
