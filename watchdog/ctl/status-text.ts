// Pure. The state of the slots as text.

import { plain, table } from "../../services/command-line/text-table.ts";
import { takesTraffic } from "../../services/runtime/roles.ts";
import type { SlotRow, StateDocument } from "../api/schema.ts";
import { lifeShown, nextShown } from "../api/view.ts";

const COLUMNS = [
  { title: "SLOT" },
  { title: "GROUP" },
  { title: "TRAFFIC" },
  { title: "ADDRESS" },
  { title: "LIFE" },
  { title: "GENERATION", align: "right" },
  { title: "NEXT STEP" },
] as const;

export function statusText({ registry, slots, failing }: StateDocument): string {
  const taking = slots.filter(({ role }) => takesTraffic(role));
  const serving = taking.filter(({ state }) => state === "serving").length;
  const serve = taking.length === 0 ? "no members are known yet" : `${serving} of ${taking.length} members serve`;
  const summary = `${serve}, registry version ${registry.version}`;
  const trouble = failing === null ? "" : `\nthe watchdog's rounds fail: ${plain(failing)}`;
  return `${summary}${trouble}\n\n${table(COLUMNS, slots.map(lineOf))}`;
}

function lineOf(row: SlotRow): string[] {
  const { slot, role, group, state, address, generation } = row;
  return [
    slot,
    group ?? "-",
    takesTraffic(role) ? state : "-",
    address ?? "-",
    lifeShown(row),
    String(generation ?? "-"),
    nextShown(row),
  ];
}
