// Pure. May a container and its twin run at the same time? Then the twin is there before the other one is told to leave.

import type { Inspected } from "./document.ts";
import { configuredMac } from "./mac-address.ts";

/** Not when both would want what only one can have: a port of the host, an address, or data that only one may write. */
export function mayOverlap({ Config, HostConfig, Mounts, NetworkSettings }: Inspected): boolean {
  const published = Object.values(HostConfig.PortBindings ?? {}).some((bindings) => (bindings ?? []).length > 0);
  const networks = NetworkSettings.Networks ?? {};
  const addressed = Object.entries(networks).some(
    ([name, { IPAMConfig }]) => hasAddress(IPAMConfig) || configuredMac(networks, name) !== undefined,
  );
  const writes = (Mounts ?? []).some(({ Type, RW }) => Type !== "tmpfs" && RW !== false);
  const sharesPorts = /^(host$|container:)/.test(HostConfig.NetworkMode ?? "");
  return !published && !addressed && !writes && !sharesPorts && !Config.MacAddress;
}

function hasAddress(config: unknown): boolean {
  return Object.values((config ?? {}) as Record<string, unknown>).some(Boolean);
}
