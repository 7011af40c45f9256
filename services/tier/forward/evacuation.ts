// The exchanges that wait for a response, so that they can be moved off a member that the registry has given up.

import type { Cluster } from "../cluster/cluster.ts";
import type { Member } from "../cluster/members.ts";

interface Evacuee {
  readonly member: Member;
  evacuate(): void;
}

export class Evacuation {
  readonly #waiting = new Set<Evacuee>();

  enter(exchange: Evacuee): void {
    this.#waiting.add(exchange);
  }

  leave(exchange: Evacuee): void {
    this.#waiting.delete(exchange);
  }

  /** After a change of the members. */
  evacuate(cluster: Cluster): void {
    for (const exchange of [...this.#waiting]) if (cluster.isLost(exchange.member)) exchange.evacuate();
  }
}
