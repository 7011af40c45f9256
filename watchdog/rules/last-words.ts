// Pure. What a member died of, for people.

import type { Life } from "../engines/discovery.ts";

export function lastWords({ code, signal, oom }: Life & { kind: "exited" }): string {
  if (oom) return "it was killed for lack of memory";
  if (signal !== undefined) return `it was killed by ${signal}`;
  // A shell's convention, and Docker's: 128 and the signal's number.
  if (code !== undefined && code > 128) return `it exited with code ${code} (signal ${code - 128})`;
  return `it exited with code ${code ?? "unknown"}`;
}
