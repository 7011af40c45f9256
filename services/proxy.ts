// Tier 2: the balancer reaches it; its members are the servers of its own group, at random.

import type { Context } from "./runtime/lifecycle.ts";
import { startTier } from "./tier/tier.ts";

export async function startProxy(context: Context): Promise<void> {
  const { GROUP } = context.settings;
  await startTier(
    { policy: "random", edge: false, includes: ({ role, group }) => role === "server" && (group ?? "1") === GROUP },
    context,
  );
}
