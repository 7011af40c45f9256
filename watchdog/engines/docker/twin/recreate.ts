// Pure. An inspected container -> the create request of its twin, such that Compose still takes it for its own: Compose
// knows a container by its labels alone, and compares config-hash, image and networks (compose pkg/compose/reconcile.go).
// One function a rule mends what inspect writes and create would refuse, or would take for something else.

import { anonymousVolume, type Endpoint, type HostConfig, type Inspected, type Mount } from "../containers/document.ts";
import { configuredMac } from "../containers/mac-address.ts";
import { withParents } from "../containers/namespaces.ts";
import { movedPorts, withoutEmptyKeys } from "./port-bindings.ts";

export interface TwinOptions {
  /** The tag when it still means the same image, else the image's id: a heal is no upgrade. */
  readonly image: string;
  /** Set over the original's variables. */
  readonly environment: Readonly<Record<string, string>>;
  /** The containers whose namespaces or volumes it shares: what they are now, by the id that the original knew. */
  readonly parents: ReadonlyMap<string, string>;
  /** So many ports of the host were taken: those so many further instead. */
  readonly portMoves: number;
}

/** The body of `POST /containers/create`. The name goes beside it. */
export function twinOf(original: Inspected, options: TwinOptions): Record<string, unknown> {
  const { Config, NetworkSettings } = original;
  const { Hostname, MacAddress, Volumes, ExposedPorts, ...config } = Config;
  const shared = sharesNetwork(original.HostConfig);
  return {
    ...config,
    ...(keepsHostname(original) ? { Hostname } : {}),
    ...(Volumes === undefined ? {} : { Volumes: withoutMounted(Volumes, original.HostConfig) }),
    // A network of somebody else's has ports of somebody else's ("conflicting options", portainer#13012).
    ...(shared || ExposedPorts === undefined ? {} : { ExposedPorts: ExposedPorts && withoutEmptyKeys(ExposedPorts) }),
    Image: options.image,
    Env: withEnvironment(Config.Env ?? [], options.environment),
    HostConfig: hostConfigOf(original, options),
    NetworkingConfig: { EndpointsConfig: shared ? {} : endpointsOf(original, NetworkSettings.Networks ?? {}) },
  };
}

function hostConfigOf(original: Inspected, { parents, portMoves }: TwinOptions): Record<string, unknown> {
  const { HostConfig } = original;
  const { MemorySwappiness, PortBindings, Links, Devices, Mounts, ...hostConfig } = HostConfig;
  const inherited = anonymousVolumes(original);
  const bindings = PortBindings && withoutEmptyKeys(PortBindings);
  return {
    ...hostConfig,
    ...withParents(HostConfig, parents),
    ...(inherited.length > 0 && { Binds: [...(HostConfig.Binds ?? []), ...inherited] }),
    ...(Mounts && { Mounts: Mounts.map((mount) => withSource(mount, original)) }),
    ...(bindings && { PortBindings: sharesNetwork(HostConfig) ? {} : movedPorts(bindings, portMoves) }),
    ...(Links && { Links: Links.map(asGiven) }),
    ...(Devices && { Devices: Devices.map(withPermissions) }),
    // -1 and null mean "as it comes", which create does not take everywhere.
    ...(typeof MemorySwappiness === "number" && MemorySwappiness >= 0 ? { MemorySwappiness } : {}),
  };
}

/**
 * The default host name is the old container's id; kept, the twin would answer to a dead one's name (watchtower#1251). In a
 * namespace of somebody else's it has none of its own.
 */
function keepsHostname({ Id, Config, HostConfig }: Inspected): boolean {
  if (Config.Hostname === undefined || Config.Hostname === Id.slice(0, 12)) return false;
  return !sharesNetwork(HostConfig) && !HostConfig.UTSMode;
}

function endpointsOf(original: Inspected, networks: Readonly<Record<string, Endpoint>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(networks).map(([name, endpoint]) => [name, endpointOf(original, name, endpoint)]),
  );
}

/**
 * The engine gives addresses anew, and those that somebody configured are kept. The old short id, also as host name, is no
 * alias.
 */
function endpointOf(
  { Id, Config, HostConfig, NetworkSettings }: Inspected,
  name: string,
  endpoint: Endpoint,
): Record<string, unknown> {
  const isFirst = name === HostConfig.NetworkMode;
  const mac = isFirst ? Config.MacAddress : configuredMac(NetworkSettings.Networks ?? {}, name);
  const { IPAMConfig, Links, Aliases, DriverOpts, GwPriority } = endpoint;
  return {
    IPAMConfig,
    Links,
    DriverOpts,
    ...(GwPriority === undefined ? {} : { GwPriority }),
    // Only a network that somebody made knows aliases (watchtower#1906).
    ...(name === "bridge" ? {} : { Aliases: (Aliases ?? []).filter((alias) => alias !== Id.slice(0, 12)) }),
    // A configured address of the first network stands in Config alone; the endpoint's own is what the engine gave.
    ...(mac ? { MacAddress: mac } : {}),
  };
}

function withEnvironment(original: readonly string[], changes: Readonly<Record<string, string>>): string[] {
  const kept = original.filter((entry) => !Object.hasOwn(changes, entry.split("=", 1)[0] as string));
  return [...kept, ...Object.entries(changes).map(([name, value]) => `${name}=${value}`)];
}

/**
 * Anonymous volumes stand in no request, only in Mounts, under a name of 64 hex digits; Compose inherits them too. Those of
 * another container, which it has by `volumes_from`, come from there again.
 */
function anonymousVolumes({ Mounts, Config, HostConfig }: Inspected): string[] {
  const taken = mountedBy(HostConfig);
  const isOwn = (target = "") => !HostConfig.VolumesFrom?.length || Object.hasOwn(Config.Volumes ?? {}, target);
  return (Mounts ?? [])
    .filter(({ Type, Name }) => Type === "volume" && anonymousVolume.test(Name ?? ""))
    .filter(({ Destination }) => !taken.has(Destination) && isOwn(Destination))
    .map(({ Name, Destination, RW }) => `${Name}:${Destination}${RW === false ? ":ro" : ""}`);
}

/** A volume of the image's where something else is mounted would be a duplicate mount point. */
function withoutMounted(volumes: NonNullable<Inspected["Config"]["Volumes"]> | null, hostConfig: HostConfig): unknown {
  const taken = mountedBy(hostConfig);
  for (const target of Object.keys(hostConfig.Tmpfs ?? {})) taken.add(target);
  return volumes && Object.fromEntries(Object.entries(volumes).filter(([target]) => !taken.has(target)));
}

function mountedBy({ Binds, Mounts }: HostConfig): Set<string | undefined> {
  return new Set([...(Binds ?? []).map((bind) => bind.split(":")[1]), ...(Mounts ?? []).map(({ Target }) => Target)]);
}

/** A volume of the Compose file without a name is a mount without a source: the twin's is the one that was made for it. */
function withSource(mount: Mount, { Mounts }: Inspected): Mount {
  if (mount.Type !== "volume" || mount.Source) return mount;
  const made = Mounts?.find(({ Type, Destination }) => Type === "volume" && Destination === mount.Target);
  return made?.Name === undefined ? mount : { ...mount, Source: made.Name };
}

/** inspect writes `/db:/evenkeel-web-1/alias` for what create takes as `db:alias`. */
function asGiven(link: string): string {
  const [target = "", alias = ""] = link.split(":");
  return `${target.replace(/^\//, "")}:${alias.slice(alias.lastIndexOf("/") + 1)}`;
}

function withPermissions(device: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...device, CgroupPermissions: device.CgroupPermissions || "rwm" };
}

function sharesNetwork({ NetworkMode = "" }: HostConfig): boolean {
  return NetworkMode === "host" || NetworkMode === "none" || NetworkMode.startsWith("container:");
}
