// What doctor looks at on the Docker engine: the socket, the API, and every container of the Compose project. It changes
// nothing, and draws no conclusion: findings-docker.ts does.

import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ContainerInspectInfo } from "dockerode";
import type { Settings } from "../../../services/runtime/config.ts";
import { StartupFailure } from "../../../services/runtime/exit.ts";
import { ofProject } from "../../engines/docker/compose-labels.ts";
import { type Connection, connect, ignoring, inspectSelf, projectOf } from "../../engines/docker/connection.ts";
import { watchdogSocket } from "../../guardian/socket/rules/paths.ts";

export type DockerLook =
  /** `line`: what is wrong, a colon, and what to do. */
  | { readonly kind: "refused"; readonly line: string }
  | {
      readonly kind: "reached";
      readonly version: string;
      readonly api: string;
      /** Undefined: we are part of none, and none is set. */
      readonly project: string | undefined;
      /** All of the project, whatever their state, one-off runs too. */
      readonly containers: readonly ContainerInspectInfo[];
      /** The slots that the watchdog would make again from memory. */
      readonly remembered: readonly string[];
    };

export async function lookAtDocker(settings: Settings): Promise<DockerLook> {
  try {
    return await look(await connect(socketOf(settings)), settings);
  } catch (error) {
    if (error instanceof StartupFailure) return { kind: "refused", line: error.message };
    const fix = "see whether docker ps answers on this engine";
    return { kind: "refused", line: `the Docker engine failed in the middle (${(error as Error).message}): ${fix}` };
  }
}

/** The watchdog's own where its guardian stands beside us, for that says what the watchdog may see. */
export function socketOf({ DOCKER_SOCKET, WATCHDOG_USER }: Settings): string {
  return WATCHDOG_USER !== undefined && existsSync(watchdogSocket()) ? watchdogSocket() : DOCKER_SOCKET;
}

async function look(connection: Connection, settings: Settings): Promise<DockerLook> {
  const { Version: version, ApiVersion: api } = await connection.calls.version();
  const self = await inspectSelf(connection);
  const project = projectOf(settings, self);
  const containers = project === undefined ? [] : await containersOf(connection, project);
  return { kind: "reached", version, api, project, containers, remembered: await remembered(settings.REGISTRY_FILE) };
}

async function containersOf({ calls }: Connection, project: string): Promise<ContainerInspectInfo[]> {
  const filters = { label: [ofProject(project)] };
  const listed = await calls.listContainers({ all: true, filters });
  const inspected = await Promise.all(listed.map(({ Id }) => ignoring([404], calls.getContainer(Id).inspect())));
  return inspected.filter((container) => container !== undefined);
}

/** By the names of the templates' files (docker/templates.ts). */
async function remembered(registryFile: string): Promise<string[]> {
  const names = await readdir(join(dirname(registryFile), "templates")).catch(() => []);
  return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -".json".length));
}
