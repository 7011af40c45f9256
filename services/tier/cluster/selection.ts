// Pure. Whom a tier forwards to, of the members in the registry: (registry, who the tier is) -> its members.

import type { MemberState, Registry, RegistryMember } from "../../registry/document.ts";
import { OWN_POOL } from "../../runtime/roles.ts";
import { instanceOf, type Members, type Selected } from "./members.ts";

/** @param pool whose servers; undefined: all */
export type Select = (registry: Registry, pool?: string) => readonly Selected[];

/** The servers of a pool, and all proxies. */
export function ofPool(members: readonly RegistryMember[], pool: string | undefined): RegistryMember[] {
  if (pool === undefined) return [...members];
  return members.filter(({ role, pool: its = OWN_POOL }) => role !== "server" || its === pool);
}

/** Where the registry names none. */
const DEFAULT_GROUP = "1";
const WORKING: ReadonlySet<MemberState> = new Set(["serving", "draining"]);

const groupOf = ({ group = DEFAULT_GROUP }: RegistryMember) => group;

/** The proxies that have servers of the pool; while none of them serves, because there are none say, the servers themselves. */
export const forBalancer: Select = ({ members }, pool) => {
  const servers = ofPool(members, pool).filter(({ role }) => role === "server");
  const all = members.filter(({ role }) => role === "proxy").map((proxy) => withServers(proxy, servers));
  const proxies = pool === undefined ? all : withShares(all, servers);
  const isServing = ({ state }: RegistryMember) => state === "serving";
  return proxies.some(isServing) || !servers.some(isServing) ? proxies : servers;
};

/** What one that drains still works on counts as well. Those of weight 0 are asked where there are no others. */
function withServers(proxy: RegistryMember, servers: readonly RegistryMember[]): Selected {
  const behind = servers.filter((server) => groupOf(server) === groupOf(proxy) && WORKING.has(server.state));
  const weighed = behind.filter(({ weight = 1 }) => weight > 0);
  return { ...proxy, servers: weighed.length > 0 ? weighed.length : behind.length };
}

/** Each proxy that has some of these servers behind it, with as much as they can do. */
function withShares(proxies: readonly Selected[], servers: readonly RegistryMember[]): Selected[] {
  const sum = (own: string) =>
    servers.filter((server) => groupOf(server) === own).reduce((before, { weight = 1 }) => before + weight, 0);
  const beside = (own: string) => proxies.filter((proxy) => groupOf(proxy) === own).length;
  const some = proxies
    .filter((proxy) => servers.some((server) => groupOf(server) === groupOf(proxy)))
    .map((proxy) => ({ proxy, share: sum(groupOf(proxy)) / beside(groupOf(proxy)) }));
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

/** The servers of its group. Nobody, until a registry with proxies knows it. */
export function forProxy({ group, addresses }: ProxyIdentity): Select {
  return ({ members }, pool) => {
    const proxies = members.filter(({ role }) => role === "proxy");
    const self = proxies.find(({ host }) => addresses.has(host));
    const own = group ?? (proxies.length === 0 ? DEFAULT_GROUP : self?.group);
    const servers = ofPool(members, pool).filter(({ role }) => role === "server");
    return servers.filter((server) => groupOf(server) === own);
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
