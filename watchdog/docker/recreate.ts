// Pure. An inspected container -> the create request of its twin, such that Compose still takes it for its own: Compose
// knows a container by its labels alone, and compares config-hash, image and networks (compose pkg/compose/reconcile.go).

/** The parts of `GET /containers/{id}/json` that make a twin; whatever else HostConfig and Config hold passes as it is. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly Config: Readonly<Record<string, unknown>> & {
    readonly Image: string;
    readonly Hostname?: string;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>>;
  };
  readonly HostConfig: Readonly<Record<string, unknown>> & {
    readonly NetworkMode?: string;
    readonly Binds?: readonly string[] | null;
    readonly Mounts?: readonly Mount[] | null;
  };
  readonly Mounts?: readonly {
    readonly Type?: string;
    readonly Name?: string;
    readonly Destination?: string;
    readonly RW?: boolean;
  }[];
  readonly NetworkSettings: { readonly Networks?: Readonly<Record<string, Endpoint>> };
}

interface Mount {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
}

interface Endpoint {
  readonly IPAMConfig?: unknown;
  readonly Links?: unknown;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: unknown;
}

export interface TwinOptions {
  /** The tag when it still means the same image, else the image's id: a heal is no upgrade. */
  readonly image: string;
  /** Set over the original's variables. */
  readonly environment: Readonly<Record<string, string>>;
}

/** The body of `POST /containers/create`. The name goes beside it. */
export function twinOf(original: Inspected, { image, environment }: TwinOptions): Record<string, unknown> {
  const { Config, HostConfig, NetworkSettings } = original;
  const shortId = original.Id.slice(0, 12);
  const { Hostname, ...config } = Config;
  return {
    ...config,
    // The default host name is the old container's id; kept, the twin would answer to a dead one's name (watchtower#1251).
    ...(Hostname === undefined || Hostname === shortId || sharesNetwork(HostConfig) ? {} : { Hostname }),
    Image: image,
    Env: withEnvironment(Config.Env ?? [], environment),
    HostConfig: {
      ...HostConfig,
      Binds: [...(HostConfig.Binds ?? []), ...anonymousVolumes(original)],
      ...(HostConfig.Mounts && { Mounts: HostConfig.Mounts.map((mount) => withSource(mount, original)) }),
    },
    NetworkingConfig: {
      EndpointsConfig: Object.fromEntries(
        Object.entries(NetworkSettings.Networks ?? {}).map(([name, endpoint]) => [name, endpointOf(endpoint, shortId)]),
      ),
    },
  };
}

/** Addresses are the engine's to give anew; what somebody configured is kept, the old short id is not an alias. */
function endpointOf({ IPAMConfig, Links, Aliases, DriverOpts }: Endpoint, shortId: string): Record<string, unknown> {
  return { IPAMConfig, Links, DriverOpts, Aliases: (Aliases ?? []).filter((alias) => alias !== shortId) };
}

function withEnvironment(original: readonly string[], changes: Readonly<Record<string, string>>): string[] {
  const kept = original.filter((entry) => !Object.hasOwn(changes, entry.split("=", 1)[0] as string));
  return [...kept, ...Object.entries(changes).map(([name, value]) => `${name}=${value}`)];
}

/** Anonymous volumes stand in no request, only in Mounts, under a name of 64 hex digits; Compose inherits them too. */
function anonymousVolumes({ Mounts, HostConfig }: Inspected): string[] {
  const targets = new Set((HostConfig.Mounts ?? []).map(({ Target }) => Target));
  const bound = new Set((HostConfig.Binds ?? []).map((bind) => bind.split(":")[1]));
  return (Mounts ?? [])
    .filter(({ Type, Name }) => Type === "volume" && /^[0-9a-f]{64}$/.test(Name ?? ""))
    .filter(({ Destination }) => !targets.has(Destination) && !bound.has(Destination))
    .map(({ Name, Destination, RW }) => `${Name}:${Destination}${RW === false ? ":ro" : ""}`);
}

/** A volume of the Compose file without a name is a mount without a source: the twin's is the one that was made for it. */
function withSource(mount: Mount, { Mounts }: Inspected): Mount {
  if (mount.Type !== "volume" || mount.Source) return mount;
  const made = Mounts?.find(({ Type, Destination }) => Type === "volume" && Destination === mount.Target);
  return made?.Name === undefined ? mount : { ...mount, Source: made.Name };
}

function sharesNetwork({ NetworkMode }: Inspected["HostConfig"]): boolean {
  return NetworkMode === "host" || (NetworkMode?.startsWith("container:") ?? false);
}
