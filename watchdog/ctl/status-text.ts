// Pure. The state of the slots as text.

import { lifeShown, nextShown, type Row } from "../api/view.ts";
import { table } from "./table.ts";

export interface StateBody {
  readonly registry: { readonly version: number };
  readonly slots: readonly Row[];
}

const COLUMNS = [
  { title: "SLOT" },
  { title: "GROUP" },
  { title: "TRAFFIC" },
  { title: "ADDRESS" },
  { title: "LIFE" },
  { title: "GENERATION", align: "right" },
  { title: "NEXT STEP" },
] as const;

export function statusText({ registry, slots }: StateBody): string {
  const taking = slots.filter(takesTraffic);
  const serving = taking.filter(({ state }) => state === "serving").length;
  const summary = `${serving} of ${taking.length} members serve, registry version ${registry.version}`;
  return `${summary}\n\n${table(COLUMNS, slots.map(lineOf))}`;
}

const takesTraffic = ({ role }: Row) => role !== "client" && role !== "watchdog";

function lineOf(row: Row): string[] {
  const { slot, group, state, address, generation } = row;
  return [
    slot,
    group ?? "-",
    takesTraffic(row) ? state : "-",
    address ?? "-",
    lifeShown(row),
    String(generation ?? "-"),
    nextShown(row),
  ];
}
