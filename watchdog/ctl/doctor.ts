// Looks at everything that healing needs, by itself: no watchdog has to run. dockerode is loaded for the Docker engine alone.

import type { Settings } from "../../services/runtime/config.ts";
import { goOnAs } from "../guardian/user.ts";
import type { Finding } from "./finding.ts";
import { dockerFindings } from "./findings-docker.ts";
import { answerFindings, memberFindings, programFindings, registryFindings } from "./findings-system.ts";
import { lookAtSystem } from "./look-system.ts";

/** @param watchdog where it should answer */
export async function doctor(settings: Settings, watchdog: URL): Promise<Finding[]> {
  const docker = settings.ENGINE === "docker" ? dockerFindings(await lookAtDocker(settings)) : [];
  // The engine's own socket may be root's alone; what the watchdog may do in the registry's directory, only its user can tell.
  goOnAs(settings.WATCHDOG_USER);
  const system = await lookAtSystem(settings, watchdog);
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
