// What `GET /containers/{id}/json` says of a container that Compose made, cut to what matters and left as the engine writes it
// (Docker 26, Compose 2.26), for the golden tests of its twin.

import type { Inspected } from "../../../watchdog/engines/docker/containers/document.ts";

export const ID = "9c246fbf438643ef6c2d2f0d5c0a5a6b8bf0f9a3fe0c8b4c6f1d7e2a3b4c5d6e";
export const SHORT_ID = "9c246fbf4386";
export const IMAGE_ID = `sha256:${"1f".repeat(32)}`;
export const ANONYMOUS = "c95c2c53aa07a5d8659067e28297a60d96bb5f3defdf30310f46e501c3ec5392";

const labels = {
  "com.docker.compose.config-hash": "f6b2e2c4",
  "com.docker.compose.container-number": "1",
  "com.docker.compose.depends_on": "",
  "com.docker.compose.image": IMAGE_ID,
  "com.docker.compose.oneoff": "False",
  "com.docker.compose.project": "evenkeel",
  "com.docker.compose.project.config_files": "/srv/docker-compose.yml",
  "com.docker.compose.service": "server-4",
  "com.docker.compose.version": "2.26.1",
  "evenkeel.reports": "yes",
  "evenkeel.role": "server",
  "org.example.odd": 'with "quotes", = and spaces',
};

export const endpoint = {
  IPAMConfig: null as unknown,
  Links: null as unknown,
  Aliases: ["evenkeel-server-4-1", "server-4", SHORT_ID] as string[] | null,
  MacAddress: "02:42:ac:14:00:09",
  DriverOpts: null as unknown,
  NetworkID: "a1".repeat(32),
  EndpointID: "b2".repeat(32),
  Gateway: "172.20.0.1",
  IPAddress: "172.20.0.9",
  IPPrefixLen: 16,
  IPv6Gateway: "",
  GlobalIPv6Address: "",
  GlobalIPv6PrefixLen: 0,
  DNSNames: ["evenkeel-server-4-1", "server-4", SHORT_ID],
};

const hostConfig = {
  Binds: null as readonly string[] | null,
  ContainerIDFile: "",
  LogConfig: { Type: "local", Config: { "max-file": "2", "max-size": "5m" } },
  NetworkMode: "evenkeel_default",
  PortBindings: { "9004/tcp": [{ HostIp: "", HostPort: "9004" }] },
  RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
  AutoRemove: false,
  CapDrop: ["ALL"],
  Memory: 268_435_456,
  NanoCpus: 500_000_000,
  PidsLimit: 100,
  Ulimits: [{ Name: "nofile", Hard: 2048, Soft: 1024 }],
  ReadonlyRootfs: true,
  SecurityOpt: ["no-new-privileges:true"],
  Tmpfs: { "/tmp": "" },
  Init: true,
  ShmSize: 67_108_864,
  Mounts: [
    { Type: "volume", Source: "evenkeel_registry", Target: "/run/evenkeel", ReadOnly: true, VolumeOptions: {} },
  ] as Readonly<Record<string, unknown>>[],
};

const config = {
  Hostname: SHORT_ID,
  Domainname: "",
  User: "node",
  ExposedPorts: { "9004/tcp": {} },
  Tty: false,
  OpenStdin: false,
  Env: ["GROUP=2", "ROLE=server", "ID=server-4", "NODE_ENV=production", "HOST=0.0.0.0"] as string[] | null,
  Cmd: ["node", "dist/services/main.js"],
  Healthcheck: {
    Test: ["CMD", "bash", "healthcheck.sh"],
    Interval: 30_000_000_000,
    StartInterval: 1_000_000_000,
  },
  Image: "evenkeel",
  Volumes: null,
  WorkingDir: "/app",
  Entrypoint: ["docker-entrypoint.sh"],
  Labels: labels,
  StopSignal: "SIGTERM",
  StopTimeout: 12,
};

const mounts = [
  {
    Type: "volume",
    Name: "evenkeel_registry",
    Source: "/var/lib/docker/volumes/evenkeel_registry/_data",
    Destination: "/run/evenkeel",
    Driver: "local",
    Mode: "z",
    RW: false,
    Propagation: "",
  },
];

export interface Changes {
  readonly config?: Partial<Inspected["Config"]>;
  readonly hostConfig?: Partial<Inspected["HostConfig"]>;
  readonly mounts?: Inspected["Mounts"];
  readonly networks?: Readonly<Record<string, Partial<typeof endpoint>>>;
}

export function inspected(changes: Changes = {}): Inspected {
  return {
    Id: ID,
    Name: "/evenkeel-server-4-1",
    Image: IMAGE_ID,
    Config: { ...config, ...changes.config },
    HostConfig: { ...hostConfig, ...changes.hostConfig },
    Mounts: changes.mounts ?? mounts,
    NetworkSettings: { Networks: changes.networks ?? { evenkeel_default: endpoint } },
  } as Inspected;
}

/** An anonymous volume as the engine lists it among a container's mounts. */
export function anonymousMount(Destination: string, changes: { readonly RW?: boolean } = {}) {
  const Source = `/var/lib/docker/volumes/${ANONYMOUS}/_data`;
  return { Type: "volume", Name: ANONYMOUS, Source, Destination, Driver: "local", Mode: "z", RW: true, ...changes };
}
