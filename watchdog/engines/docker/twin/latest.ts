// Pure. What a template takes from a later look at its container: operators change one that runs, by `docker update` and
// `docker network connect`, and a heal keeps that.

import type { Inspected } from "../containers/document.ts";

/**
 * The latest of the container, with the networks as they were when it was last reached on one: what has ended shows no addresses,
 * and what was taken off its networks is healed with those that it had.
 * @param reached does it run, and can it be reached?
 */
export function latestOf(before: Inspected | undefined, now: Inspected, reached: boolean): Inspected {
  if (reached || before?.Id !== now.Id) return now;
  const networks = { ...now.NetworkSettings.Networks, ...before.NetworkSettings.Networks };
  return { ...now, NetworkSettings: { ...now.NetworkSettings, Networks: networks } };
}

/** Would both become the same twin? State and logs of a container say nothing of it. */
export function areAlike(one: Inspected, other: Inspected): boolean {
  return essence(one) === essence(other);
}

function essence({ Id, Name, Image, Config, HostConfig, Mounts, NetworkSettings }: Inspected): string {
  return JSON.stringify([Id, Name, Image, Config, HostConfig, Mounts, NetworkSettings.Networks]);
}
