// Pure. What a watchdog asks of the guardian that keeps its members' processes, and what it is told: over the channel that Node makes
// between a process and its child. A pipe follows the message that names it, as the handle of a message of its own.

import type { ProcessEnd, ProcessStart } from "./member-processes.ts";

export type ProcessOrder =
  | { readonly kind: "list" }
  | { readonly kind: "start"; readonly start: ProcessStart }
  | { readonly kind: "signal"; readonly instance: string; readonly signal: NodeJS.Signals }
  | { readonly kind: "forget"; readonly instance: string };

export type PipeName = "stdout" | "stderr";

export type ProcessNotice =
  /** The answer to "list", behind a "started" and the pipes of each. */
  | { readonly kind: "listed"; readonly instances: readonly string[] }
  | { readonly kind: "started"; readonly start: ProcessStart; readonly pid: number }
  | { readonly kind: "not-started"; readonly instance: string; readonly reason: string }
  | { readonly kind: "pipe"; readonly instance: string; readonly name: PipeName }
  | { readonly kind: "ended"; readonly instance: string; readonly end: ProcessEnd };

/** Heartbeats go the same way. */
export function isOrder(message: unknown): message is ProcessOrder {
  return typeof message === "object" && message !== null && "kind" in message;
}
