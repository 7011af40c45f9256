// What a watchdog shows of its slots at /api/state, as far as tests look at it.

import { within } from "../eventually.ts";
import { ask } from "./ask.ts";

const ANSWERS_WITHIN_MS = 5_000;

export interface SlotRow {
  readonly slot: string;
  readonly life: string;
  readonly state: string;
  readonly generation: number | null;
  readonly instance: string | null;
  readonly restarts: { readonly kind: "normal" | "quarantined" };
}

/** By id; none while no watchdog answers, and while it stands by. */
export async function slotsAt(port: number): Promise<ReadonlyMap<string, SlotRow>> {
  const asked = within(ANSWERS_WITHIN_MS, "the state", ask(port, { path: "/api/state" }));
  const { body } = await asked.catch(() => ({ body: "{}" }));
  const { slots = [] } = JSON.parse(body) as { slots?: SlotRow[] };
  return new Map(slots.map((row) => [row.slot, row]));
}
