// Pure. What doctor finds in the labels of the project's containers: Compose's, by which it knows its own, and ours.

import type { ContainerInspectInfo } from "dockerode";
import { isRole } from "../../../services/runtime/roles.ts";
import { readLabels } from "../../desired/labels.ts";
import { composeLabel } from "../../engines/docker/compose-labels.ts";
import { nameOf } from "../../engines/docker/container-names.ts";
import { environmentOf } from "../../engines/docker/containers/inspected.ts";
import { slotOf } from "../../engines/docker/containers/slot.ts";
import { fault, type Problem, warning } from "./finding.ts";

/** Compose would make a second one beside a container that lacks one of these. */
const COMPOSE_LABELS = [composeLabel.service, composeLabel.number, composeLabel.configHash];

/** By its labels; undefined for a container that is not ours to look after. */
export function roleOf({ Config }: ContainerInspectInfo): string | undefined {
  const read = readLabels(Config.Labels);
  if (read.kind === "none") return undefined;
  return read.kind === "read" ? read.labels.role : "server";
}

/** @param ours those of them that are ours to look after */
export function labelProblems(
  containers: readonly ContainerInspectInfo[],
  ours: readonly ContainerInspectInfo[],
): Problem[] {
  return [...ours.flatMap(lostProblem), ...faultProblems(ours), ...unlabelledProblems(containers, ours)];
}

function lostProblem(container: ContainerInspectInfo): Problem[] {
  const missing = COMPOSE_LABELS.filter((label) => !container.Config.Labels[label]);
  if (missing.length === 0) return [];
  const name = nameOf(container);
  const fix = `docker rm -f ${name}, then docker compose up -d`;
  return [fault(`${name} has no ${missing.join(", ")}: Compose does not know it`, fix)];
}

/** One for each service, however many replicas it has. */
function faultProblems(ours: readonly ContainerInspectInfo[]): Problem[] {
  const lines = ours.flatMap((container) => {
    const { service, faults = [] } = slotOf(container) ?? {};
    return faults.map((what) => `${service}: ${what}`);
  });
  return [...new Set(lines)].map((line) =>
    fault(line, "mend its labels in the Compose file, then docker compose up -d"),
  );
}

/** A program of ours as Compose files had it before there were labels. */
function unlabelledProblems(
  containers: readonly ContainerInspectInfo[],
  ours: readonly ContainerInspectInfo[],
): Problem[] {
  const images = new Set(ours.filter((container) => roleOf(container) === "watchdog").map(({ Image }) => Image));
  return containers
    .filter((container) => roleOf(container) === undefined && images.has(container.Image))
    .flatMap((container) => {
      const role = environmentOf(container.Config.Env).get("ROLE");
      if (!isRole(role)) return [];
      const labels = role === "server" ? 'evenkeel.role: server and evenkeel.reports: "yes"' : `evenkeel.role: ${role}`;
      const what = `${nameOf(container)} has a ROLE and no label of ours, so nobody looks after it`;
      return [warning(what, `set the labels ${labels}`)];
    });
}
