// Looks at everything that healing needs, by itself: no watchdog has to run. dockerode is loaded for the Docker engine alone.

import type { Settings } from "../../services/runtime/config.ts";
import type { Finding } from "./finding.ts";
import { dockerFindings } from "./findings-docker.ts";
import { answerFindings, memberFindings, programFindings, registryFindings } from "./findings-here.ts";
import { lookHere } from "./look-here.ts";

/** @param watchdog where it should answer */
export async function doctor(settings: Settings, watchdog: URL): Promise<Finding[]> {
  const here = await lookHere(settings, watchdog);
  const docker = settings.ENGINE === "docker" ? dockerFindings(await lookAtDocker(settings)) : [];
  return [
    ...programFindings(here),
    ...docker,
    ...registryFindings(here),
    ...memberFindings(here),
    ...answerFindings(here),
  ];
}

async function lookAtDocker(settings: Settings) {
  return (await import("./look-docker.ts")).lookAtDocker(settings);
}
