// Pure. May a container and its twin run at the same time? Then the twin is there before the other one is told to leave. And what can only
// one have at a time, so that another replica of its service beside it is out of the question, or unwise?

import type { Found } from "../../discovery.ts";
import { anonymousVolume, type Inspected } from "./document.ts";
import { configuredMac } from "./mac-address.ts";

/** Not when both would want what only one can have: a port of the host, an address, or data that only one may write. */
export function mayOverlap(inspected: Inspected): boolean {
  const published = Object.values(inspected.HostConfig.PortBindings ?? {}).some(
    (bindings) => (bindings ?? []).length > 0,
  );
  const writes = (inspected.Mounts ?? []).some(({ Type, RW }) => Type !== "tmpfs" && RW !== false);
  return !published && !writes && addressOf(inspected) === undefined;
}

/** Of a port that the engine chooses, and of a volume without a name, each has its own. */
export function aloneIn(inspected: Inspected): NonNullable<Found["alone"]> | undefined {
  const bindings = Object.values(inspected.HostConfig.PortBindings ?? {}).flatMap((each) => each ?? []);
  const fixed = bindings.find(({ HostPort = "" }) => /^[1-9]\d*$/.test(HostPort));
  if (fixed !== undefined) return { what: `host port ${fixed.HostPort} is published` };
  const address = addressOf(inspected);
  if (address !== undefined) return { what: address };
  const written = (inspected.Mounts ?? []).find(
    ({ Type, RW, Name = "" }) => Type !== "tmpfs" && RW !== false && !anonymousVolume.test(Name),
  );
  return written && { what: `it writes to ${written.Destination}`, writes: true };
}

/** Where it is in the network, as far as that is its alone. */
function addressOf({ Config, HostConfig, NetworkSettings }: Inspected): string | undefined {
  const { NetworkMode = "" } = HostConfig;
  if (NetworkMode === "host") return "it is in the host's network";
  if (NetworkMode.startsWith("container:")) return "it shares the network of another container";
  if (Config.MacAddress) return `it has the MAC address ${Config.MacAddress}`;
  const networks = NetworkSettings.Networks ?? {};
  for (const [name, { IPAMConfig }] of Object.entries(networks)) {
    const address = Object.values((IPAMConfig ?? {}) as Record<string, unknown>).find(Boolean);
    if (address !== undefined) return `it has the address ${address} in ${name}`;
    if (configuredMac(networks, name) !== undefined) return `it has a MAC address of its own in ${name}`;
  }
  return undefined;
}
