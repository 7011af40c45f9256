// The name of this watchdog as a holder of leases: the same after a restart of its container or by its guardian, and never
// that of another watchdog that runs.

import { hostname } from "node:os";
import type { Settings } from "../../services/runtime/config.ts";
import { ownContainerId } from "../../services/runtime/container-id.ts";

/** Names it by its container where each watchdog has one of its own (ENGINE=docker), else by its guardian. */
export async function holderId({ ENGINE, GUARDED: guarded }: Pick<Settings, "ENGINE" | "GUARDED">): Promise<string> {
  if (ENGINE === "process") return `${hostname()}-${guarded ?? process.pid}`;
  return (await ownContainerId()) ?? `${hostname()}-${guarded ?? process.pid}`;
}
