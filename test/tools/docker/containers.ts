// The engine tests' containers as `docker inspect` shows them: which there are, and what was set of one, without what
// belongs to the one instance.

import { containersOfProject, docker, ofService } from "./docker.ts";

/** Of this run alone: two runs on one engine would take down each other's containers. */
export const PROJECT = `evenkeel-contract-${process.pid}`;

export interface Document {
  readonly Id: string;
  readonly Image: string;
  readonly State: { readonly Running: boolean };
  readonly Config: Readonly<Record<string, unknown>> & { readonly Env: readonly string[] };
  readonly HostConfig: Readonly<Record<string, unknown>>;
  readonly Mounts: readonly Mount[];
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly Aliases: readonly string[] | null }>>;
  };
}

interface Mount {
  readonly Type: string;
  readonly Name?: string;
  readonly Destination: string;
}

export const inspect = async (id: string) => (JSON.parse(await docker("inspect", id)) as [Document])[0];

export const nameOf = (id: string) => docker("inspect", "--format", "{{.Name}}", id);

export const containers = (...filters: readonly string[]) => containersOfProject(PROJECT, ...filters);

export const containersOf = (service: string) => containers(ofService(service));

/** Volumes without a name of their own: the engine calls them by 64 hex digits. */
export const isAnonymous = ({ Name = "" }: Mount) => /^[0-9a-f]{64}$/.test(Name);

/** What Compose and people have set of a container: a heal has to keep it. */
export function setOf({ Image, Config, HostConfig, Mounts, NetworkSettings }: Document, id: string) {
  const { Hostname: _, ...config } = Config;
  // Inherited volumes stand here; Mounts shows them too, whichever way they were asked for.
  const { Binds: __, Mounts: ___, ...hostConfig } = HostConfig;
  const Env = Config.Env.filter((entry) => !/^(REGISTRY|REPORT_NONCE)=/.test(entry)).sort();
  const named = Mounts.filter((mount) => !isAnonymous(mount));
  const mounts = Object.fromEntries(named.map((mount) => [mount.Destination, mount]));
  const aliases = Object.entries(NetworkSettings.Networks).map(([name, { Aliases }]) => [
    name,
    (Aliases ?? []).filter((alias) => alias !== id.slice(0, 12)).sort(),
  ]);
  return { Image, config: { ...config, Env }, hostConfig, mounts, aliases: Object.fromEntries(aliases) };
}
