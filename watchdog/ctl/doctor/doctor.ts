// Looks at everything that healing needs, by itself: no watchdog has to run. dockerode is loaded where there is an engine.

import { nowMs } from "../../../services/runtime/clock.ts";
import type { Settings } from "../../../services/runtime/config.ts";
import { goOnAs } from "../../guardian/user.ts";
import type { Finding } from "./finding.ts";
import { dockerFindings, type KnownMembers } from "./findings-docker.ts";
import { swarmFindings } from "./findings-swarm.ts";
import { answerFindings, memberFindings, programFindings, registryFindings } from "./findings-system.ts";
import { lookAtSystem, type SystemLook } from "./look-system.ts";

/** @param watchdog where it should answer */
export async function doctor(settings: Settings, watchdog: URL): Promise<Finding[]> {
  const docker = settings.ENGINE === "docker" ? await lookAtDocker(settings) : undefined;
  const swarm = settings.ENGINE === "swarm" ? await lookAtSwarm(settings) : undefined;
  // The engine's own socket may be root's alone; what the watchdog may do in the registry's directory, only its user can tell.
  goOnAs(settings.WATCHDOG_USER);
  const system = await lookAtSystem(settings, watchdog);
  return [
    ...programFindings(system),
    ...(docker === undefined ? [] : dockerFindings(docker, knownBy(system, settings))),
    ...(swarm === undefined ? [] : swarmFindings(swarm)),
    ...registryFindings(system),
    ...memberFindings(system),
    ...answerFindings(system),
  ];
}

function knownBy({ registry }: SystemLook, { START_TIMEOUT_MS }: Settings): KnownMembers | undefined {
  if (!registry.ok) return undefined;
  const ids = new Set(registry.registry.members.map(({ id }) => id));
  // This command has just begun: it is the time of this host, and so of the engine.
  return { ids, startedBeforeMs: nowMs() - START_TIMEOUT_MS };
}

async function lookAtDocker(settings: Settings) {
  return (await import("./look-docker.ts")).lookAtDocker(settings);
}

async function lookAtSwarm(settings: Settings) {
  return (await import("./look-swarm.ts")).lookAtSwarm(settings);
}
