// Pure. The slot that a container fills, by its labels alone: Compose's say which service it is of, ours what that is to be. What
// its environment holds is the application's affair.

import type { ContainerInspectInfo } from "dockerode";
import { containerPort } from "../../../desired/container-port.ts";
import { readLabels, type ServiceLabels } from "../../../desired/labels.ts";
import type { Slot } from "../../../desired/slot.ts";
import { composeLabel } from "../compose-labels.ts";
import { environmentOf } from "./inspected.ts";

/** @returns undefined for a container that is not ours to look after */
export function slotOf({ Config, HostConfig }: ContainerInspectInfo): Slot | undefined {
  const { [composeLabel.service]: service, [composeLabel.number]: number = "1", ...others } = Config.Labels ?? {};
  // An image that Compose has built carries the labels of its service, also under `docker run`.
  if (service === undefined || others[composeLabel.configHash] === undefined) return undefined;
  const read = readLabels(others);
  const replica = { id: `${service}-${number}`, service };
  switch (read.kind) {
    case "none":
      return undefined;
    case "faulty":
      return { ...replica, role: "server", faults: read.faults };
    case "read":
      return read.labels.reports
        ? ownSlot({ Config }, replica, read.labels)
        : foreignSlot({ Config, HostConfig }, replica, read.labels);
    default:
      return read satisfies never;
  }
}

type Replica = Required<Pick<Slot, "id" | "service">>;

/** A program of ours may be told by its service who it is; those that Compose puts beside it are told the same. */
function ownSlot(
  { Config }: Pick<ContainerInspectInfo, "Config">,
  { id, service }: Replica,
  labels: ServiceLabels,
): Slot {
  const environment = environmentOf(Config.Env);
  const group = labels.group ?? environment.get("GROUP");
  const own = { role: labels.role, labels, ...(group && { group }) };
  const isFirst = id === `${service}-1`;
  return environment.get("ID") && isFirst ? { id: service, ...own } : { id, service, ...own };
}

function foreignSlot(
  { Config, HostConfig }: Pick<ContainerInspectInfo, "Config" | "HostConfig">,
  replica: Replica,
  labels: ServiceLabels,
): Slot {
  const slot = { ...replica, role: labels.role, labels, ...(labels.group && { group: labels.group }) };
  if (labels.role !== "server") return slot;
  const found = containerPort(labels.port, {
    exposed: Object.keys(Config.ExposedPorts ?? {}),
    published: HostConfig.PortBindings ?? {},
  });
  return found.kind === "port"
    ? { ...slot, labels: { ...labels, port: found.port } }
    : { ...slot, faults: [found.fault] };
}
