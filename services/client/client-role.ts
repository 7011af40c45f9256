// The client as a container: it only stays alive, so that `docker compose exec client node client.js 7` has a place to run.

import { type Context, live } from "../runtime/lifecycle.ts";
import { processMetrics } from "../runtime/metrics.ts";

export async function startClient(context: Context): Promise<void> {
  await live({ metrics: processMetrics(), ready: () => true }, context);
}
