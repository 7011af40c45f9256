// Who this watchdog is to another one: the same name after a restart of its container or by its guardian, and never the name
// of anybody else who lives.

import { readFile } from "node:fs/promises";
import { hostname } from "node:os";

/** @param guarded the guardian's id: the setting GUARDED */
export async function holderId(guarded: string | undefined): Promise<string> {
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
