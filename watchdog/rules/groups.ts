// Pure. The shares of the servers among the proxies: (members, groups that somebody has set) -> each with its group. A proxy forwards to
// the servers of its group. Shares are contiguous and as even as can be; they follow as either number changes.

import type { RegistryMember } from "../../services/registry/document.ts";
import { WEIGHT_MAX } from "../desired/label-kinds.ts";
import { byNumber } from "../desired/slot.ts";

/** @param fixed by id, of those whose group is set */
export function withGroups(members: readonly RegistryMember[], fixed: ReadonlyMap<string, string>): RegistryMember[] {
  const proxies = free(members, "proxy", fixed);
  const pools = poolsOf(members, free(members, "server", fixed));
  // Where there are more proxies than servers, several share one.
  const count = Math.min(
    proxies.length,
    Math.max(...pools.map((servers) => servers.length), lastNamed(members, fixed)),
  );
  const groups = new Map(fixed);
  for (const [index, id] of proxies.entries()) groups.set(id, String((index % Math.max(1, count)) + 1));
  for (const servers of pools)
    for (const [index, id] of servers.entries())
      groups.set(id, String(Math.floor((index * count) / servers.length) + 1));
  return withWeights(members.map((member) => withGroup(member, groups.get(member.id))));
}

/** The last of the groups that servers ask for by a number. */
function lastNamed(members: readonly RegistryMember[], fixed: ReadonlyMap<string, string>): number {
  const servers = new Set(members.filter(({ role }) => role === "server").map(({ id }) => id));
  const numbers = [...fixed].filter(([id]) => servers.has(id)).map(([, group]) => Number(group));
  return Math.max(0, ...numbers.filter(Number.isSafeInteger));
}

function free(members: readonly RegistryMember[], role: string, fixed: ReadonlyMap<string, string>): string[] {
  const ids = members.filter((member) => member.role === role && !fixed.has(member.id)).map(({ id }) => id);
  return ids.sort(byNumber);
}

/** The servers of each pool have shares of their own. */
function poolsOf(members: readonly RegistryMember[], servers: readonly string[]): string[][] {
  const pools = new Map<string, string[]>();
  const poolOf = new Map(members.map(({ id, pool = "" }) => [id, pool]));
  for (const id of servers) {
    const pool = poolOf.get(id) ?? "";
    pools.set(pool, [...(pools.get(pool) ?? []), id]);
  }
  return [...pools.values()];
}

function withGroup({ id, role, group: _before, ...member }: RegistryMember, group: string | undefined): RegistryMember {
  return { id, role, ...(group !== undefined && { group }), ...member };
}

/** A proxy gets as much as what is behind it can do, so that every server gets the same. */
function withWeights(members: readonly RegistryMember[]): RegistryMember[] {
  const behind = (group: string | undefined) =>
    members
      .filter((member) => member.role === "server" && member.group === group)
      .reduce((sum, { weight = 1 }) => sum + weight, 0);
  const beside = (group: string | undefined) =>
    members.filter((member) => member.role === "proxy" && member.group === group).length;
  const weights = new Map(
    members
      .filter(({ role }) => role === "proxy")
      .map(({ id, group }) => [id, behind(group) / Math.max(1, beside(group))] as const),
  );
  const isEven = new Set(weights.values()).size < 2;
  // The registry has a bound, and shares are relative.
  const scale = Math.max(1, ...[...weights.values()].map((weight) => weight / WEIGHT_MAX));
  return members.map((member) => {
    if (member.role !== "proxy") return member;
    const { weight: _before, ...same } = member;
    return isEven ? same : { ...same, weight: (weights.get(member.id) ?? 1) / scale };
  });
}
