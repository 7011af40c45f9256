// The engine seam on dockerode. Its slots are the replicas of those services of our own Compose project that have a label of ours;
// it touches no other container. While a successor is verified, the previous container keeps a name that says so: the engine
// itself remembers what a watchdog was about, and the next watchdog reads it there.

import { dirname, join } from "node:path";
import type { Settings } from "../../../services/runtime/config.ts";
import { exitCode, StartupFailure } from "../../../services/runtime/exit.ts";
import { Condition, type Log } from "../../../services/runtime/log.ts";
import type { Engine } from "../engine.ts";
import { connect, inspectSelf, projectOf } from "./connection.ts";
import { Containers } from "./containers/listing.ts";
import { DockerDiscovery } from "./discovery.ts";
import { Images } from "./images.ts";
import { DockerRunner } from "./runner.ts";
import { CopiedFiles } from "./twin/copied-files.ts";
import { Templates } from "./twin/templates.ts";
import { Versions } from "./twin/versions.ts";

/** @throws StartupFailure when there is no engine we can use, or no Compose project we are part of */
export async function openDockerEngine(settings: Settings, log: Log): Promise<Engine> {
  const connection = await connect(settings.DOCKER_SOCKET);
  const self = await inspectSelf(connection);
  const project = projectOf(settings, self);
  if (project === undefined) {
    const fix = "start it with docker compose, or set COMPOSE_PROJECT_NAME to the project to watch";
    throw new StartupFailure(exitCode.settings, `the watchdog is no part of a Compose project: ${fix}`);
  }
  const containers = new Containers(connection.calls, { project, self: self?.Id });
  const networks = new Set(Object.keys(self?.NetworkSettings.Networks ?? {}));
  const directory = dirname(settings.REGISTRY_FILE);
  const templates = new Templates(join(directory, "templates"), networks, new Condition(log, "templates"));
  await templates.open();
  const versions = new Versions(join(directory, "versions"));
  await versions.open();
  const listing = await containers.list();
  await templates.prune(listing);
  // Also what an earlier watchdog stopped, in the middle of a heal.
  const ownEnds = new Set(templates.all.flatMap(({ ending }) => ending ?? []));
  const copied = new CopiedFiles(connection.calls);
  const images = new Images(connection.calls);
  const shared = { connection, containers, templates, versions, images, copied, ownEnds, signing: new Set<string>() };
  const ownSlot = listing.self?.slot.id;
  return {
    discovery: new DockerDiscovery({ ...shared, project, networks, self: self?.Id, ownSlot }),
    runner: new DockerRunner(shared),
  };
}
