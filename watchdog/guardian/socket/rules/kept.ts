// Pure. What the filter keeps of the containers that were looked at through it: of each name what a twin may be made from, and of
// each id the service it was of. It has seen whatever the watchdog has, so a twin that is like none of these is no twin.

import type { ContainerInspectInfo } from "dockerode";
import { bareName, nameOf } from "../../../engines/docker/container-names.ts";
import type { Endpoint, Inspected } from "../../../engines/docker/containers/document.ts";
import { makingOf } from "../../../engines/docker/containers/inspected.ts";
import { latestOf } from "../../../engines/docker/twin/latest.ts";

/** An inspected container without its state. */
export interface Kept extends Inspected {
  /** When the engine made it, as it writes it. */
  readonly Created: string;
}

/** The oldest first. */
export type KeptByName = ReadonlyMap<string, readonly Kept[]>;

/** Of one container, or one after another of the same making: the first look, and the last seven. */
const LOOKS_MAX = 8;
/** The present one, the one before, and one that was tried in vain meanwhile. */
const MAKINGS_MAX = 3;
const NAMES_MAX = 1_000;

/** What the engine gives an endpoint anew at each start, but for the address, which tells a configured MAC address from its own. */
const OF_ONE_START = new Set(
  ["NetworkID", "EndpointID", "Gateway", "IPPrefixLen", "IPv6Gateway", "DNSNames"].concat(
    "GlobalIPv6Address",
    "GlobalIPv6PrefixLen",
  ),
);

export function keptOf(inspected: ContainerInspectInfo): Kept {
  const { Id, Name, Created, Image, Config, HostConfig, Mounts, NetworkSettings } = inspected as unknown as Kept;
  const networks = Object.entries(NetworkSettings.Networks ?? {}).map(([name, endpoint]) => [name, lasting(endpoint)]);
  return {
    ...{ Id, Name, Created, Image, Config, HostConfig },
    ...(Mounts && { Mounts }),
    NetworkSettings: { Networks: Object.fromEntries(networks) },
  };
}

function lasting(endpoint: Endpoint): Endpoint {
  return Object.fromEntries(Object.entries(endpoint).filter(([field]) => !OF_ONE_START.has(field)));
}

/** @returns the same map where there is nothing new */
export function withKept(kept: KeptByName, one: Kept): KeptByName {
  const name = bareName(nameOf(one));
  const before = kept.get(name) ?? [];
  const text = JSON.stringify(one);
  if (before.some((other) => JSON.stringify(other) === text)) return kept;
  const next = new Map(kept);
  // Last of all: the names that were not looked at for longest go first.
  next.delete(name);
  next.set(name, limited([...before, one]));
  for (const oldest of next.keys()) {
    if (next.size <= NAMES_MAX) break;
    next.delete(oldest);
  }
  return next;
}

function limited(looks: readonly Kept[]): Kept[] {
  // One that came back, by a rollback, is the latest again.
  const makings = [...new Set(latestFirst(looks).map(makingOf))].slice(0, MAKINGS_MAX).reverse();
  return makings.flatMap((making) => {
    const same = looks.filter((look) => makingOf(look) === making);
    return same.length <= LOOKS_MAX ? same : [same[0] as Kept, ...same.slice(1 - LOOKS_MAX)];
  });
}

/**
 * From which a twin may be made now, the likeliest first: what is of the newest making, and of an earlier one only containers that
 * are there. What somebody made anew with fewer rights does not get the old ones back. One that is on a network no more may be
 * healed with those that it had (engines/docker/twin/latest.ts).
 * @param there the ids, of those of earlier makings, that exist
 */
export function candidates(looks: readonly Kept[], there: ReadonlySet<string>): Kept[] {
  const newest = newestMaking(looks);
  const able = looks.filter((look) => makingOf(look) === newest || there.has(look.Id)).reverse();
  const joined = able.flatMap((now) =>
    able
      .filter((before) => before !== now && before.Id === now.Id)
      .map((before) => latestOf(before, now, false) as Kept),
  );
  return [...able, ...joined];
}

/** The ids of the containers of earlier makings. */
export function ofEarlierMakings(looks: readonly Kept[]): string[] {
  const newest = newestMaking(looks);
  return [...new Set(looks.filter((look) => makingOf(look) !== newest).map(({ Id }) => Id))];
}

const newestMaking = (looks: readonly Kept[]) => byCreation(looks).map(makingOf).at(-1);

export const latestFirst = (looks: readonly Kept[]): Kept[] => byCreation(looks).reverse();

function byCreation(looks: readonly Kept[]): Kept[] {
  return [...looks].sort((one, other) => (one.Created < other.Created ? -1 : 1));
}
