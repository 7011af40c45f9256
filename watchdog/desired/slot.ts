// Pure. A slot: a place that a member fills, and that outlives it; what its labels ask for, and which pool it is of.

import { OWN_POOL, type SlotRole } from "../../services/runtime/roles.ts";
import type { ServiceLabels } from "./labels.ts";

export interface Slot {
  /** Such as server-4; also the id of whatever member fills it. */
  readonly id: string;
  readonly role: SlotRole;
  /** Absent: its share follows from how many there are (rules/groups.ts). */
  readonly group?: string;
  /** Whose replica its member is, where a service may have several: one that is taken away then is forgotten. */
  readonly service?: string;
  /** What its service's labels ask for. Absent: a program of ours, without any. */
  readonly labels?: ServiceLabels;
  /** Why its member gets no traffic and is not looked after until somebody mends its labels. */
  readonly faults?: readonly string[];
}

/** Does its member say by itself where it listens, as our own programs do? */
export function reports({ labels, faults }: Slot): boolean {
  return faults === undefined && (labels?.reports ?? true);
}

/** A program of ours that is the only one of its service is called like it. */
export function serviceOf({ id, service }: Pick<Slot, "id" | "service">): string {
  return service ?? id;
}

/** Made once: by it a comparison costs a small part of what one costs that names its language each time. */
const NUMERIC = new Intl.Collator("en", { numeric: true });

/** The order of slots' ids, by their numbers: app-2 before app-10. */
export function byNumber(one: string, other: string): number {
  return NUMERIC.compare(one, other);
}

/** @returns undefined for what is no server */
export function poolOf(slot: Slot): string | undefined {
  if (slot.role === "worker") return slot.service;
  if (slot.role !== "server") return undefined;
  return slot.labels?.pool ?? (reports(slot) ? OWN_POOL : slot.service);
}
