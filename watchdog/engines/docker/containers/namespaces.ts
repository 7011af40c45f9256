// Pure. Containers that share another's network, IPC or process namespace, or its volumes (`network_mode: service:vpn`). Their
// configuration names the other by its id. When the other one is made anew, they have to be made anew too, with its new id.

import type { HostConfig } from "./document.ts";

const MODES = ["NetworkMode", "IpcMode", "PidMode"] as const;
const PREFIX = "container:";

type Sharing = Pick<HostConfig, (typeof MODES)[number] | "VolumesFrom">;

/** The ids of the containers that it cannot do without. */
export function parentsOf(hostConfig: Sharing): string[] {
  const modes = MODES.map((mode) => hostConfig[mode] ?? "").filter((mode) => mode.startsWith(PREFIX));
  const volumes = (hostConfig.VolumesFrom ?? []).map((from) => from.split(":", 1)[0] as string);
  return [...new Set([...modes.map((mode) => mode.slice(PREFIX.length)), ...volumes])];
}

interface Holder {
  readonly Id: string;
  readonly HostConfig: { readonly NetworkMode?: string | undefined };
}

/** The container that has its addresses: itself, or the one whose network it shares; undefined when that one is gone. */
export function networkHolder<One extends Holder>(container: One, all: readonly One[]): One | undefined {
  const { NetworkMode = "" } = container.HostConfig;
  if (!NetworkMode.startsWith(PREFIX)) return container;
  return all.find(({ Id }) => Id === NetworkMode.slice(PREFIX.length));
}

/** The same configuration, with what each parent is now in the place of what it was. @param parents by the old id */
export function withParents(hostConfig: Sharing, parents: ReadonlyMap<string, string>): Partial<Sharing> {
  const now = (id: string) => parents.get(id) ?? id;
  const modes = MODES.flatMap((mode) => {
    const value = hostConfig[mode];
    return value?.startsWith(PREFIX) ? [[mode, PREFIX + now(value.slice(PREFIX.length))]] : [];
  });
  const { VolumesFrom } = hostConfig;
  const from = VolumesFrom?.map((entry) => entry.replace(/^[^:]+/, now));
  return { ...Object.fromEntries(modes), ...(from && { VolumesFrom: from }) };
}
