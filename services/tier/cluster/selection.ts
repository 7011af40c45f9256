// Pure. Whom a tier forwards to, of the members in the registry: (registry, who the tier is) -> its members.

import type { Registry, RegistryMember } from "../../registry/document.ts";
import { instanceOf, type Members } from "./members.ts";

export type Select = (registry: Registry) => readonly RegistryMember[];

/** The proxies; while none of them serves, because there are none say, the servers themselves. */
export const forBalancer: Select = ({ members }) => {
  const proxies = members.filter(({ role }) => role === "proxy");
  const servers = members.filter(({ role }) => role === "server");
  const isServing = ({ state }: RegistryMember) => state === "serving";
  return proxies.some(isServing) || !servers.some(isServing) ? proxies : servers;
};

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
  return ({ members }) => {
    const proxies = members.filter(({ role }) => role === "proxy");
    const self = proxies.find(({ host }) => addresses.has(host));
    const own = group ?? (proxies.length === 0 ? DEFAULT_GROUP : self?.group);
    return members.filter((member) => member.role === "server" && (member.group ?? DEFAULT_GROUP) === own);
  };
}

/** With those that another tier forwards to from now on: what is on its way to them here is finished, and nothing new goes there. */
export function withLeaving(
  selected: readonly RegistryMember[],
  { members }: Registry,
  before: Members,
): readonly RegistryMember[] {
  const ids = new Set(selected.map(({ id }) => id));
  const leaving = members.filter(
    (member) => !ids.has(member.id) && before.get(member.id)?.instance === instanceOf(member),
  );
  return [
    ...selected,
    ...leaving.map((member) => (member.state === "down" ? member : { ...member, state: "draining" as const })),
  ];
}
