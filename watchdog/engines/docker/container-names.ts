// Pure. The three kinds of a container's name: the proper one, which Compose gave it; one with our suffix, of a previous
// container that is kept while its successor is verified; one with Compose's prefix, left of a `docker compose up` cut short.

import type { Slot } from "../../desired/slot.ts";

/** The end of a previous container's name. */
export const PREVIOUS_SUFFIX = "-aside";

/** Compose makes a successor under the short id of the one before and its name (compose pkg/compose/convergence.go). */
const LEFTOVER = /^[0-9a-f]{12}_/;

interface Named {
  readonly Name: string;
}

interface Living extends Named {
  readonly State: { readonly Running: boolean };
}

export const nameOf = ({ Name }: Named) => Name.replace(/^\//, "");
export const isPrevious = ({ Name }: Named) => Name.endsWith(PREVIOUS_SUFFIX);
export const isLeftover = (container: Named) => LEFTOVER.test(nameOf(container));

/** The name that Compose gave it, would have given it in the end, or that its predecessor had, whatever it is called now. */
export const properName = (container: Named) => bareName(nameOf(container));

/** A name without what makes it one of a container that is on its way in or out. */
export const bareName = (name: string) => name.replace(LEFTOVER, "").replace(new RegExp(`${PREVIOUS_SUFFIX}$`), "");

interface InSlot {
  readonly slot: Slot;
  readonly inspected: Living;
}

/**
 * One container a slot. Of two, one is what Compose puts in the place of the other: it makes it under a name of its own, ends the
 * one before, removes that, and gives it the proper name. It may be cut short at any of that. The one before fills the slot as
 * long as it runs.
 */
export function onePerSlot<Listed extends InSlot>(listed: readonly Listed[]): Listed[] {
  const bySlot = new Map<string, Listed>();
  for (const one of listed) {
    const other = bySlot.get(one.slot.id);
    if (other === undefined || goesBefore(one.inspected, other.inspected)) bySlot.set(one.slot.id, one);
  }
  return [...bySlot.values()];
}

function goesBefore(one: Living, other: Living): boolean {
  if (isLeftover(one) === isLeftover(other)) return one.State.Running && !other.State.Running;
  return isLeftover(one) ? !other.State.Running : one.State.Running;
}
