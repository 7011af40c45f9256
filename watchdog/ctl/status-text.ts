// Pure. The state of the slots as text.

import { takesTraffic } from "../../services/runtime/roles.ts";
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
  const taking = slots.filter(({ role }) => takesTraffic(role));
  const serving = taking.filter(({ state }) => state === "serving").length;
  const summary = `${serving} of ${taking.length} members serve, registry version ${registry.version}`;
  return `${summary}\n\n${table(COLUMNS, slots.map(lineOf))}`;
}

function lineOf(row: Row): string[] {
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
