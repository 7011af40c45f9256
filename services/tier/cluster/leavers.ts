// Which instances were asked to stop, or taken away: what fails at one of these is no fault of a request's. It is kept for as long as
// somebody has the instance, also where its slot is filled anew meanwhile.

import type { Member, Members } from "./members.ts";

export class Leavers {
  /** By what stays with an instance. */
  readonly #leavers = new WeakSet<Member["load"]>();

  has({ load }: Member): boolean {
    return this.#leavers.has(load);
  }

  adopt(before: Members, now: Members): void {
    for (const { id, instance, load } of before.values()) {
      const known = now.get(id);
      // One in whose place Compose makes another was asked to stop, whether or not a registry that said so was read.
      const isReplaced = known !== undefined && known.instance !== instance && known.recreated;
      if (known === undefined || isReplaced) this.#leavers.add(load);
    }
    for (const { leaving, state, load } of now.values()) {
      if (leaving) this.#leavers.add(load);
      else if (state === "serving") this.#leavers.delete(load);
    }
  }
}
