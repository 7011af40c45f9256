// Pure. The parts of an inspected container that a twin is made from, as the Docker engine writes them.

/** The parts of `GET /containers/{id}/json` that make a twin; whatever else HostConfig and Config hold passes as it is. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Created?: string;
  readonly Image: string;
  readonly Config: Config;
  readonly HostConfig: HostConfig;
  readonly Mounts?: readonly MountPoint[];
  readonly NetworkSettings: { readonly Networks?: Readonly<Record<string, Endpoint>> };
}

type Config = Readonly<Record<string, unknown>> & {
  readonly Image: string;
  readonly Hostname?: string;
  readonly MacAddress?: string;
  readonly Env?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Volumes?: Readonly<Record<string, unknown>> | null;
  readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
};

export type HostConfig = Readonly<Record<string, unknown>> & {
  readonly NetworkMode?: string;
  readonly IpcMode?: string;
  readonly PidMode?: string;
  readonly VolumesFrom?: readonly string[] | null;
  readonly UTSMode?: string;
  readonly Binds?: readonly string[] | null;
  readonly Mounts?: readonly Mount[] | null;
  readonly Tmpfs?: Readonly<Record<string, string>> | null;
  readonly Links?: readonly string[] | null;
  readonly PortBindings?: PortBindings | null;
  readonly MemorySwappiness?: number | null;
  readonly Devices?: readonly Readonly<Record<string, unknown>>[] | null;
};

export type PortBindings = Readonly<Record<string, readonly PortBinding[] | null>>;
interface PortBinding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

interface MountPoint {
  readonly Type?: string;
  readonly Name?: string;
  readonly Destination?: string;
  readonly RW?: boolean;
}

export interface Mount {
  readonly Type?: string;
  readonly Source?: string;
  readonly Target?: string;
}

export interface Endpoint {
  readonly IPAMConfig?: unknown;
  readonly Links?: unknown;
  readonly Aliases?: readonly string[] | null;
  readonly DriverOpts?: unknown;
  readonly GwPriority?: unknown;
  /** Absent or empty while the container does not run. */
  readonly MacAddress?: string;
  readonly IPAddress?: string;
}

/** The name of a volume that nobody has named. */
export const anonymousVolume = /^[0-9a-f]{64}$/;
