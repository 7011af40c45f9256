// Looks at everything that healing needs, by itself: no watchdog has to run. dockerode is loaded for the Docker engine alone.

import type { Settings } from "../../services/runtime/config.ts";
import type { Finding } from "./finding.ts";
import { dockerFindings } from "./findings-docker.ts";
import { answerFindings, memberFindings, programFindings, registryFindings } from "./findings-system.ts";
import { lookAtSystem } from "./look-system.ts";

/** @param watchdog where it should answer */
export async function doctor(settings: Settings, watchdog: URL): Promise<Finding[]> {
  const system = await lookAtSystem(settings, watchdog);
  const docker = settings.ENGINE === "docker" ? dockerFindings(await lookAtDocker(settings)) : [];
  return [
    ...programFindings(system),
    ...docker,
    ...registryFindings(system),
    ...memberFindings(system),
    ...answerFindings(system),
  ];
}

async function lookAtDocker(settings: Settings) {
  return (await import("./look-docker.ts")).lookAtDocker(settings);
}
