// Tier 2: the balancer reaches it; its members are the servers of its own group, at random.

import { networkInterfaces } from "node:os";
import type { Context } from "./runtime/lifecycle.ts";
import { forProxy } from "./tier/cluster/selection.ts";
import { startTier } from "./tier/tier.ts";

export async function startProxy(context: Context): Promise<void> {
  const { GROUP: group } = context.settings;
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const addresses = new Set(interfaces.filter(({ internal }) => !internal).map(({ address }) => address));
  await startTier({ policy: "random", edge: false, select: forProxy({ group, addresses }) }, context);
}
