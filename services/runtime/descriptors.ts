// How many files and connections this process may have open: more connections than that cannot be taken, whatever a setting says.

import { readFileSync } from "node:fs";

/** Undefined where the system does not say. */
export function descriptorLimit(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return limit === undefined ? undefined : Number(limit);
  } catch {
    return undefined;
  }
}
