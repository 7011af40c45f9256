// The exchanges that wait for a response, so that they can be moved off a member that the registry has given up. A list linked through the
// exchanges themselves: each is in it for a moment, and a Set under such a change would keep the finished ones from the collector
// (V8 gives an old table's successors to the old generation, and the dead ones among them hold their entries until a full collection).

import type { Cluster } from "../cluster/cluster.ts";
import type { Member } from "../cluster/members.ts";

export interface Evacuee {
  readonly member: Member;
  /** The list's own. */
  earlier: Evacuee | undefined;
  later: Evacuee | undefined;
  /** The list's own. */
  listed: boolean;
  evacuate(): void;
}

export class Evacuation {
  #latest: Evacuee | undefined;

  enter(exchange: Evacuee): void {
    exchange.earlier = this.#latest;
    if (this.#latest !== undefined) this.#latest.later = exchange;
    this.#latest = exchange;
    exchange.listed = true;
  }

  leave(exchange: Evacuee): void {
    if (!exchange.listed) return;
    const { earlier, later } = exchange;
    if (earlier !== undefined) earlier.later = later;
    if (later !== undefined) later.earlier = earlier;
    else this.#latest = earlier;
    exchange.earlier = undefined;
    exchange.later = undefined;
    exchange.listed = false;
  }

  /** After a change of the members. */
  evacuate(cluster: Cluster): void {
    const waiting: Evacuee[] = [];
    for (let one = this.#latest; one !== undefined; one = one.earlier) waiting.push(one);
    // First the one that has waited longest.
    for (const exchange of waiting.reverse())
      if (exchange.listed && cluster.isLost(exchange.member)) exchange.evacuate();
  }
}
