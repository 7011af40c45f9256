// Keeps the watchdog apart from what the guardian holds: another user, and a filtered socket in the place of the engine's own.
// Where that cannot be had, as with the capabilities of an earlier Compose file, the filter stands all the same and a line says so.

import { stat } from "node:fs/promises";
import { exitCode, StartupFailure } from "../../../services/runtime/exit.ts";
import type { Log } from "../../../services/runtime/log.ts";
import { prepareDirectories } from "../directories.ts";
import { type Separation, whyOpen } from "../separation.ts";
import { mayBecome, userIn, type WatchdogUser } from "../user.ts";
import { openSockets } from "./open.ts";
import { SOCKETS, watchdogSocket } from "./rules/paths.ts";

/** As in services/runtime/config.ts, which is not loaded here. */
const DEFAULT = { DOCKER_SOCKET: "/var/run/docker.sock", REGISTRY_FILE: "/run/evenkeel/registry.json" };

/** @throws StartupFailure */
export async function separate(environment: NodeJS.ProcessEnv, log: Log): Promise<Separation> {
  const enginePath = environment.DOCKER_SOCKET || DEFAULT.DOCKER_SOCKET;
  const registryFile = environment.REGISTRY_FILE || DEFAULT.REGISTRY_FILE;
  const user = await userOf(environment, enginePath, log);
  try {
    if (user !== undefined) await prepareDirectories(registryFile, user);
    const { close } = await openSockets({
      ...{ enginePath, registryFile, directory: SOCKETS, log },
      gid: user?.gid,
      swarm: environment.ENGINE === "swarm",
      chaos: environment.CHAOS === "yes",
      project: environment.COMPOSE_PROJECT_NAME || undefined,
    });
    const own = { ...environment, DOCKER_SOCKET: watchdogSocket() };
    return { changes: { environment: own, ...(user && { user }) }, close };
  } catch (error) {
    const fix = "give the watchdog's container tmpfs: [/tmp] and a volume for the registry that it may write";
    throw new StartupFailure(
      exitCode.registryDirectory,
      `the guardian cannot make its own files (${(error as Error).message}): ${fix}`,
    );
  }
}

async function userOf(
  { WATCHDOG_USER }: NodeJS.ProcessEnv,
  enginePath: string,
  log: Log,
): Promise<WatchdogUser | undefined> {
  const user = userIn(WATCHDOG_USER);
  if (user === undefined) {
    const fix = "it must be a user's and a group's number, such as 1000:8404";
    throw new StartupFailure(exitCode.settings, `WATCHDOG_USER=${JSON.stringify(WATCHDOG_USER)}: ${fix}`);
  }
  if (!mayBecome(user)) {
    const fix = 'user: "0:0" and cap_add: [SETUID, SETGID], as in docker-compose.yml';
    log("watchdog-unseparated", { reason: `the guardian may not start it as ${WATCHDOG_USER}: give it ${fix}` });
    return undefined;
  }
  const socket = await stat(enginePath).catch(() => undefined);
  const reason = socket && whyOpen(socket, user.gid);
  if (reason !== undefined) log("watchdog-unseparated", { reason });
  return user;
}
