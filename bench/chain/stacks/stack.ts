// The seam between the bench and what it measures: a stack says which processes make one tier. A chain is a balancer over
// proxies over servers, all of the same stack; a hop is one tier alone.

import type { Command } from "../children.ts";

/** One tier to start. */
export interface Tier {
  readonly role: "balancer" | "proxy";
  /** Such as proxy-2. */
  readonly id: string;
  readonly port: number;
  /** For stacks that have such a port. */
  readonly adminPort: number;
  readonly upstreams: readonly Upstream[];
  /** Most connections of clients; absent: the stack's default, or enough for every other scenario. */
  readonly connectionsMax?: number;
  /** A folder of this tier's own, to write configuration into. */
  readonly folder: string;
}

export interface Upstream {
  readonly port: number;
  /** Of a tier of the same stack; absent for servers, and for what stands in for proxies. */
  readonly adminPort?: number;
  /** A proxy's servers. */
  readonly upstreams?: readonly Upstream[];
}

export interface Stack {
  readonly name: string;
  /** What is measured, with its version. */
  readonly about: string;
  readonly command: (tier: Tier) => Promise<Command>;
}

/** As ours: in turn at the balancer, at random in a proxy. */
export const policyOf = ({ role }: Tier): "round-robin" | "random" => (role === "balancer" ? "round-robin" : "random");
