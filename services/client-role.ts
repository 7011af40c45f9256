// The client as a container: it only stays alive, so that `docker compose exec client node client.js 7` has where to run.

import { Registry } from "prom-client";
import { type Context, live } from "./lifecycle.ts";

export async function startClient(context: Context): Promise<void> {
  await live({ metrics: new Registry(), ready: () => true }, context);
}
