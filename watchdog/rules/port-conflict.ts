// Pure. How a member, or the engine, says that a port is somebody else's.

import type { Life } from "../engines/discovery.ts";

/** As the Docker engine says it, for a port of the host. */
const REFUSAL = /port is already allocated|address already in use/i;
/** The member's own exit code for a fixed port (services/runtime/exit.ts). */
const CODE = 71;

export function saysPortTaken(reason: string): boolean {
  return REFUSAL.test(reason);
}

/** Did a taken port keep it from starting, or end it as soon as it had? */
export function metTakenPort(life: Life): boolean {
  if (life.kind === "created") return saysPortTaken(life.error ?? "");
  return life.kind === "exited" && life.code === CODE;
}
