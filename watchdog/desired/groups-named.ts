// Pure. The groups that labels name: a server whose group no proxy has gets no requests, and that is a fault of its labels. Proxies without
// a group of their own have the first ones, 1 and so on.

import type { Slot } from "./slot.ts";

/** Who has which proxies, as labels and the Compose file say. */
export interface ProxyGroups {
  readonly named: ReadonlySet<string>;
  /** How many there are, those with a group of their own included. */
  readonly count: number;
}

/** @returns what is wrong with a server's group; undefined: some proxy has it */
export function groupFault(group: string, { named, count }: ProxyGroups): string | undefined {
  const isOneOfFirst = /^[1-9]\d*$/.test(group) && Number(group) <= count;
  return named.has(group) || isOneOfFirst ? undefined : `group "${group}" has no proxy (there are ${count})`;
}

/** The same slots, with a fault for those whose group no proxy has. Without any proxy the balancer forwards to all. */
export function withGroupFaults(slots: readonly Slot[]): readonly Slot[] {
  const proxies = slots.filter(({ role, faults }) => role === "proxy" && faults === undefined);
  if (proxies.length === 0) return slots;
  const named = new Set(proxies.flatMap(({ group }) => group ?? []));
  const groups: ProxyGroups = { named, count: proxies.length };
  return slots.map((slot) => {
    const { role, group, faults } = slot;
    if (role !== "server" || group === undefined || faults !== undefined) return slot;
    const fault = groupFault(group, groups);
    return fault === undefined ? slot : { ...slot, faults: [`${fault}: take evenkeel.group away`] };
  });
}
