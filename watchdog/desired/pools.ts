// Pure. The pools, and which requests each of them gets: (slots with their labels) -> pools with routes, as the registry has them. Of two
// that ask for the same requests, the one that was there first has them.

import type { RegistryPool } from "../../services/registry/document.ts";
import { poolOf, type Slot } from "./slot.ts";

type PoolRoute = RegistryPool["routes"][number];

/** The pools of these slots, in their order. */
export function poolsOf(slots: readonly Slot[]): string[] {
  return [...new Set(serversOf(slots).map((slot) => poolOf(slot) as string))];
}

/** The same slots, with a fault for those that ask for what another pool gets. @param order of the pools, the oldest first */
export function withRoutes(slots: readonly Slot[], order: readonly string[]): Slot[] {
  const owners = new Map<string, string>();
  for (const pool of order) {
    for (const route of routesOf(slotsOf(slots, pool))) {
      const key = keyOf(route);
      if (!owners.has(key)) owners.set(key, pool);
    }
  }
  return slots.map((slot) => {
    if (slot.role !== "server" || slot.faults !== undefined) return slot;
    const pool = poolOf(slot) as string;
    const taken = routesOf([slot]).find((route) => owners.get(keyOf(route)) !== pool);
    if (taken === undefined) return slot;
    return { ...slot, faults: [conflict(pool, owners.get(keyOf(taken)) as string, taken)] };
  });
}

/** As the registry has them; undefined where there is but one, which gets everything by the settings of all. */
export function registryPools(slots: readonly Slot[]): RegistryPool[] | undefined {
  const pools = poolsOf(slots).map((name) => registryPool(name, slotsOf(slots, name)));
  const [first] = pools;
  const isPlain = first !== undefined && Object.keys(first).length === 2 && first.routes.every(isCatchAll);
  return pools.length === 0 || (pools.length === 1 && isPlain) ? undefined : pools;
}

/** While it is rolled out its replicas may differ: routes are those of any, all else is as the last one has it. */
function registryPool(name: string, slots: readonly Slot[]): RegistryPool {
  const { policy, sticky, timeoutMs, bodyBytesMax } = slots.at(-1)?.labels ?? {};
  return {
    name,
    routes: routesOf(slots),
    ...(policy !== undefined && { policy }),
    ...(sticky !== undefined && { sticky }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(bodyBytesMax !== undefined && { bodyBytesMax }),
  };
}

function routesOf(slots: readonly Slot[]): PoolRoute[] {
  const routes = slots.flatMap(({ labels }): PoolRoute[] => {
    const path = labels?.path ?? "/";
    return labels?.hosts === undefined ? [{ path }] : labels.hosts.map((host) => ({ host, path }));
  });
  return [...new Map(routes.map((route) => [keyOf(route), route])).values()];
}

function serversOf(slots: readonly Slot[]): Slot[] {
  return slots.filter(({ role, faults }) => role === "server" && faults === undefined);
}

function slotsOf(slots: readonly Slot[], pool: string): Slot[] {
  return serversOf(slots).filter((slot) => poolOf(slot) === pool);
}

function keyOf({ host, path }: PoolRoute): string {
  return `${host ?? ""} ${path}`;
}

function isCatchAll({ host, path }: PoolRoute): boolean {
  return host === undefined && path === "/";
}

function conflict(pool: string, owner: string, route: PoolRoute): string {
  const cure = `set evenkeel.host or evenkeel.path on one of them, or give both evenkeel.pool: "${owner}"`;
  if (isCatchAll(route))
    return `${pool} and ${owner} would both take all requests, and ${owner} was there first: ${cure}`;
  return `path "${route.path}" of ${route.host ?? "any host"} is already ${owner}'s: ${cure}`;
}
