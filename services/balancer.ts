// Tier 1: clients reach it on 8080; its members are the proxies, or while none of them serves the servers, in turn.

import type { Context } from "./runtime/lifecycle.ts";
import { forBalancer } from "./tier/cluster/selection.ts";
import { startTier } from "./tier/tier.ts";

export async function startBalancer(context: Context): Promise<void> {
  await startTier({ policy: "round-robin", edge: true, select: forBalancer }, context);
}
