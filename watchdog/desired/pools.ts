// Pure. Which pool gets the requests. Until there are routes, one takes them all: of several the one that was there first.

import { poolOf, type Slot } from "./slot.ts";

/** The pools of these slots, in their order. */
export function poolsOf(slots: readonly Slot[]): string[] {
  const servers = slots.filter(({ role, faults }) => role === "server" && faults === undefined);
  return [...new Set(servers.map((slot) => poolOf(slot) as string))];
}

/** The same slots, with a fault for those of any other pool. */
export function withOnePool(slots: readonly Slot[], pool: string | undefined): Slot[] {
  return slots.map((slot) => {
    const other = slot.role === "server" ? poolOf(slot) : undefined;
    if (other === undefined || pool === undefined || other === pool || slot.faults !== undefined) return slot;
    const cure = `take the labels away from one of them, or give both evenkeel.pool: "${pool}"`;
    return {
      ...slot,
      faults: [`${other} and ${pool} would both take all requests, and ${pool} was there first: ${cure}`],
    };
  });
}
