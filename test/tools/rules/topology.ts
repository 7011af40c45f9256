// The four ways a request can go through Evenkeel: tier 1 alone, tier 2 alone, both, and both with a link between them. Each
// with an origin of its own, registered twice, so that an attempt that may be repeated always has another member to go to.

import type { MemberState, RegistryMember } from "../../../services/registry/document.ts";
import { eventually } from "../eventually.ts";
import { gauge } from "../http/metrics.ts";
import { startTier, type TierProcess } from "../process/tiers.ts";
import { entry } from "../registry.ts";
import type { Scope } from "../scope.ts";
import { RecordingOrigin } from "../wire/recording-origin.ts";

/** Short enough to wait for, and small enough to pass. */
export const RESPONSE_TIMEOUT_MS = 3_000;
const ENVIRONMENT = {
  RESPONSE_TIMEOUT_MS: String(RESPONSE_TIMEOUT_MS),
  CONNECT_TIMEOUT_MS: "1000",
  BODY_BYTES_MAX: "20000000",
};

export const names = ["tier 1", "tier 2", "both", "linked"] as const;
export type TopologyName = (typeof names)[number];

/** A member behind the last tier. */
export interface Behind {
  readonly port: number;
  readonly state?: MemberState;
}

export interface Topology {
  readonly name: TopologyName;
  /** The tiers' names in Via, in the order in which a request passes them. */
  readonly pseudonyms: readonly string[];
  /** Does a tier that clients reach directly stand in it? It writes what it knows of the client. */
  readonly edge: boolean;
  readonly origin: RecordingOrigin;
  /** Where clients connect. */
  readonly port: number;
  /** Puts these behind the last tier; they are new to it, so that nothing is held against them. */
  readonly register: (members: readonly Behind[]) => Promise<void>;
  /** Puts the origin there again. */
  readonly restore: () => Promise<void>;
}

export async function startTopology(scope: Scope, name: TopologyName): Promise<Topology> {
  const origin = await new RecordingOrigin().listen();
  scope.after(() => origin.close());
  const role = name === "tier 1" ? "proxy" : "server";
  const twice = [{ port: origin.port }, { port: origin.port }];
  const last = await start(scope, name === "tier 1" ? "balancer" : "proxy", membersOf(role, twice, 1));
  const first = await startFirst(scope, name, last);
  let generation = 1;
  const register = (members: readonly Behind[]) => {
    generation += 1;
    return last.publish(membersOf(role, members, generation));
  };
  return {
    name,
    pseudonyms: { "tier 1": ["lb"], "tier 2": ["proxy-1"], both: ["lb", "proxy-1"], linked: ["lb", "proxy-1"] }[name],
    edge: name !== "tier 2",
    origin,
    port: first.port,
    register,
    restore: () => register(twice),
  };
}

async function startFirst(scope: Scope, name: TopologyName, last: TierProcess): Promise<TierProcess> {
  if (name === "tier 1" || name === "tier 2") return last;
  const linked = name === "linked";
  const first = await start(scope, "balancer", [entry("proxy-1", last.port, linked ? { link: 1 } : {})]);
  if (linked) await eventually("the link", async () => (await gauge(first.adminPort, "evenkeel_links_open")) === 1);
  return first;
}

function start(scope: Scope, role: "balancer" | "proxy", members: readonly RegistryMember[]): Promise<TierProcess> {
  return startTier(scope, members, { ...ENVIRONMENT, ROLE: role, ID: role === "balancer" ? "lb" : "proxy-1" });
}

function membersOf(role: "proxy" | "server", members: readonly Behind[], generation: number): RegistryMember[] {
  return members.map(({ port, state = "serving" }, index) =>
    entry(`${role}-${index + 1}`, port, { state, generation }),
  );
}
