// Pure. Whom a tier forwards to, of the members in the registry: (registry, who the tier is) -> its members.

import type { Registry, RegistryMember } from "../../registry/document.ts";
import { OWN_POOL } from "../../runtime/roles.ts";
import { instanceOf, type Members, type Selected } from "./members.ts";

/** @param pool whose servers; undefined: all */
export type Select = (registry: Registry, pool?: string) => readonly Selected[];

/** The servers of a pool, and all proxies. */
export function ofPool(members: readonly RegistryMember[], pool: string | undefined): RegistryMember[] {
  if (pool === undefined) return [...members];
  return members.filter(({ role, pool: its = OWN_POOL }) => role !== "server" || its === pool);
}

/** The proxies that have servers of the pool; while none of them serves, because there are none say, the servers themselves. */
export const forBalancer: Select = ({ members }, pool) => {
  const servers = ofPool(members, pool).filter(({ role }) => role === "server");
  const all = members.filter(({ role }) => role === "proxy").map((proxy) => withServers(proxy, servers));
  const proxies = pool === undefined ? all : withShares(all, servers);
  const isServing = ({ state }: RegistryMember) => state === "serving";
  return proxies.some(isServing) || !servers.some(isServing) ? proxies : servers;
};

function withServers(proxy: RegistryMember, servers: readonly RegistryMember[]): Selected {
  return {
    ...proxy,
    servers: servers.filter(({ group, state }) => group === proxy.group && state === "serving").length,
  };
}

/** Each proxy that has some of these servers behind it, with as much as they can do. */
function withShares(proxies: readonly Selected[], servers: readonly RegistryMember[]): Selected[] {
  const sum = (group: string | undefined) =>
    servers.filter((server) => server.group === group).reduce((before, { weight = 1 }) => before + weight, 0);
  const beside = (group: string | undefined) => proxies.filter((proxy) => proxy.group === group).length;
  const some = proxies
    .filter(({ group }) => servers.some((server) => server.group === group))
    .map((proxy) => ({ proxy, share: sum(proxy.group) / beside(proxy.group) }));
  const isEven = new Set(some.map(({ share }) => share)).size < 2;
  return some.map(({ proxy: { weight: _ofAll, ...proxy }, share }) => (isEven ? proxy : { ...proxy, weight: share }));
}

/** Who a proxy is, as far as it knows by itself. */
export interface ProxyIdentity {
  /** Undefined: the registry says it. */
  readonly group: string | undefined;
  /** The addresses of the host or the container that it runs in. */
  readonly addresses: ReadonlySet<string>;
}

/** Where the registry names none. */
const DEFAULT_GROUP = "1";

/** The servers of its group. Nobody, until a registry with proxies knows it. */
export function forProxy({ group, addresses }: ProxyIdentity): Select {
  return ({ members }, pool) => {
    const proxies = members.filter(({ role }) => role === "proxy");
    const self = proxies.find(({ host }) => addresses.has(host));
    const own = group ?? (proxies.length === 0 ? DEFAULT_GROUP : self?.group);
    const servers = ofPool(members, pool).filter(({ role }) => role === "server");
    return servers.filter((member) => (member.group ?? DEFAULT_GROUP) === own);
  };
}

/** With those that another tier forwards to from now on: what is on its way to them here is finished, and nothing new goes there. */
export function withLeaving(
  selected: readonly Selected[],
  { members }: Registry,
  before: Members,
): readonly Selected[] {
  const ids = new Set(selected.map(({ id }) => id));
  const leaving = members.filter(
    (member) => !ids.has(member.id) && before.get(member.id)?.instance === instanceOf(member),
  );
  return [
    ...selected,
    ...leaving.map((member) => (member.state === "down" ? member : { ...member, state: "draining" as const })),
  ];
}
