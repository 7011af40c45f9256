// Pure. The three kinds of a container's name: the proper one, which Compose gave it; one with our suffix, of a previous
// container that is kept while its successor is verified; one with Compose's prefix, left of a `docker compose up` cut short.

import type { Slot } from "../discovery.ts";

/** The end of a previous container's name. */
export const PREVIOUS_SUFFIX = "-aside";

/** Compose makes a successor under the short id of the one before and its name (compose pkg/compose/convergence.go). */
const LEFTOVER = /^[0-9a-f]{12}_/;

interface Named {
  readonly Name: string;
}

export const nameOf = ({ Name }: Named) => Name.replace(/^\//, "");
export const isPrevious = ({ Name }: Named) => Name.endsWith(PREVIOUS_SUFFIX);
export const isLeftover = (container: Named) => LEFTOVER.test(nameOf(container));

/** The name that Compose gave it, or that its predecessor had, whether or not it is a previous container now. */
export const properName = (container: Named) => nameOf(container).replace(new RegExp(`${PREVIOUS_SUFFIX}$`), "");

/** A name without what makes it one of a container that is on its way in or out. */
export const bareName = (name: string) => name.replace(LEFTOVER, "").replace(new RegExp(`${PREVIOUS_SUFFIX}$`), "");

interface InSlot {
  readonly slot: Slot;
  readonly inspected: Named;
}

/** One container a slot: of two that an interrupted `docker compose up` has left, the one with the proper name. */
export function onePerSlot<Listed extends InSlot>(listed: readonly Listed[]): Listed[] {
  const bySlot = new Map<string, Listed>();
  for (const one of listed) {
    const other = bySlot.get(one.slot.id);
    if (other === undefined || isLeftover(other.inspected)) bySlot.set(one.slot.id, one);
  }
  return [...bySlot.values()];
}
