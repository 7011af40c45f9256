// The name of this watchdog as a holder of leases: the same after a restart of its container or by its guardian, and never
// that of another watchdog that runs.

import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import type { Settings } from "../../services/runtime/config.ts";

/** Names it by its container where each watchdog has one of its own (ENGINE=docker), else by its guardian. */
export async function holderId({ ENGINE, GUARDED: guarded }: Pick<Settings, "ENGINE" | "GUARDED">): Promise<string> {
  if (ENGINE === "process") return `${hostname()}-${guarded ?? process.pid}`;
  const mounts = await readFile("/proc/self/mountinfo", "utf8").catch(() => "");
  return containerIdIn(mounts) ?? `${hostname()}-${guarded ?? process.pid}`;
}

/**
 * A container's id, by the host's file behind its /etc/hostname. Its host name alone will not do: anybody may set that, and
 * give two the same. Undefined outside of a container.
 */
export function containerIdIn(mountinfo: string): string | undefined {
  return /\/([0-9a-f]{64})\/(?:userdata\/)?hostname \/etc\/hostname /.exec(mountinfo)?.[1];
}
