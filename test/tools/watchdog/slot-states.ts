// What a round observes, made by hand: slots, members and slot states for the tests of the pure files.
// A slot's role is read from its id, as in server-4; times are small numbers that the tests choose.

import type { Slot } from "../../../watchdog/desired/slot.ts";
import type { Found, Life } from "../../../watchdog/engines/discovery.ts";
import { unblemished } from "../../../watchdog/rules/restart-policy.ts";
import type { SlotState } from "../../../watchdog/rules/slot-state.ts";

export const passed = { kind: "passed" } as const;
export const silent = { kind: "silent", reason: "ECONNREFUSED" } as const;
export const notReady = { kind: "refused", status: 503 } as const;

/** The stop intent of a member that got SIGTERM at this time, and nobody knows yet what for. */
export const askedAt = (atMs: number) => ({ kind: "asked", atMs, engineMs: atMs, toStop: true }) as const;
export const stopped = { kind: "stopped", atMs: 0, engineMs: 0 } as const;

export function slotOf(id: string): Slot {
  const role = id.replace(/-\d+$/, "") as Slot["role"];
  return role === "proxy" || role === "server" ? { id, role, group: "1" } : { id, role };
}

/** A slot that nothing fills and nobody has touched. */
export function slotState(id: string, changes: Partial<SlotState> = {}): SlotState {
  const untouched = {
    missed: 0,
    answered: true,
    suspected: false,
    known: true,
    restart: unblemished,
    filledBefore: true,
    portsTaken: 0,
    ordered: false,
    healing: false,
  };
  return { slot: slotOf(id), seenSinceMs: 0, ...untouched, ...changes };
}

/** A slot whose member runs, has said where it listens and passed its last probe. */
export function serving(id: string, changes: Partial<SlotState> = {}): SlotState {
  return slotState(id, { found: running(id), probed: passed, ...changes });
}

export function running(slot: string, changes: Partial<Found> = {}): Found {
  return {
    ...found(slot, { kind: "running", sinceMs: 0 }),
    host: "10.0.0.1",
    ports: { port: 9001, adminPort: 9101 },
    ...changes,
  };
}

/** A member of which the engine says no more than this. */
export function found(slot: string, life: Life): Found {
  const sound = {
    ours: false,
    draining: false,
    passesOwnCheck: false,
    unhealthy: false,
    stranded: false,
    overlaps: false,
  };
  const unheard = { bytes: 0, reports: 0 };
  return { slot, instance: `${slot}#1`, life, unheard, ...sound };
}

/** A successor that has yet to be verified. */
export function successor(slot: string, life: Life, changes: Partial<Found> = {}): Found {
  return { ...found(slot, life), instance: `${slot}#2`, succeeds: `${slot}#1`, ours: true, ...changes };
}

export function exited(slot: string, changes: Partial<Life & { kind: "exited" }> = {}): Found {
  return found(slot, { kind: "exited", code: 1, oom: false, ...changes });
}
