// What a watchdog shows of its slots at /api/state.

import { type SlotRow, stateSchema } from "../../../watchdog/api/schema.ts";
import { within } from "../eventually.ts";
import { ask } from "./ask.ts";

const ANSWERS_WITHIN_MS = 5_000;

/** By id; none while no watchdog answers, and while it stands by. */
export async function slotsAt(port: number): Promise<ReadonlyMap<string, SlotRow>> {
  const asked = within(ANSWERS_WITHIN_MS, "the state", ask(port, { path: "/api/state" }));
  const { body } = await asked.catch(() => ({ body: "{}" }));
  const { data } = stateSchema.safeParse(JSON.parse(body));
  return new Map(data?.slots.map((row) => [row.slot, row]));
}
