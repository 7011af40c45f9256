// Pure. The pools, what goes through each; and the rolls and scales of services, as far as they have come.

import type { RollRow, ScaleRow } from "../../api/schema.ts";
import type { Figures } from "../../traffic/figures.ts";
import type { PoolShown } from "../document/document.ts";
import { figuresOf, msShown, rateShown, shareShown } from "./format.ts";
import { body, cell, mark, orderButton, row, section, severityOf, type TableColumn, table } from "./pieces.ts";
import { h, type PageElement } from "./tree.ts";
import type { Viewed } from "./viewed.ts";

const COLUMNS: readonly TableColumn[] = [
  { title: "Pool" },
  { title: "State" },
  { title: "Routes" },
  { title: "Serving", number: true },
  { title: "Requests", unit: "/s", number: true },
  { title: "Errors", unit: "%", number: true },
  { title: "p50", unit: "ms", number: true },
  { title: "p99", unit: "ms", number: true },
];

export function poolsView({ state, traffic, orders }: Viewed): PageElement {
  const columns = orders === "open" ? [...COLUMNS, { title: "Orders" }] : COLUMNS;
  const rows = state.pools.map((pool) => poolRow(pool, figuresOf(pool.name, traffic?.pools), orders === "open"));
  return section(
    "pools",
    "Pools",
    h("div", { class: "wide-table" }, table("Pools", columns, [body("pools", ...rows)])),
  );
}

function poolRow(pool: PoolShown, figures: Figures | undefined, withOrders: boolean): PageElement {
  const { name, word, routes, serving, of, paused } = pool;
  return row(
    name,
    {},
    h("th", { scope: "row", role: "rowheader" }, name),
    cell("State", "is", mark(severityOf(word), word), paused && h("span", { class: "remark" }, " paused")),
    cell("Routes", "mono", routes.length === 0 ? "every request" : routes.join(", ")),
    cell("Serving", "number", `${serving} of ${of}`),
    cell("Requests /s", "number", rateShown(figures?.perSecond)),
    cell("Errors %", figures?.errorShare ? "number bad" : "number", shareShown(figures?.errorShare)),
    cell("p50 ms", "number", msShown(figures?.p50Ms)),
    cell("p99 ms", "number", msShown(figures?.p99Ms)),
    ...(withOrders ? [cell("Orders", "orders", ...ordersOf(pool))] : []),
  );
}

/** A pool of several services has each of them by its name. */
function ordersOf({ services, paused }: PoolShown): PageElement[] {
  if (services.length > 3) return [];
  return services.flatMap((service) => {
    const name = encodeURIComponent(service);
    const turn = paused ? "resume" : "pause";
    return [
      orderButton("Roll", service, { path: `/api/rolls/${name}` }),
      orderButton(paused ? "Resume" : "Pause", service, { path: `/api/services/${name}/${turn}` }),
    ];
  });
}

export function rolloutsView({ state }: Viewed): PageElement | undefined {
  const { rolls, scales } = state;
  if (rolls.length === 0 && scales.length === 0) return undefined;
  return section(
    "rolls",
    "Rolls and scales",
    h("ul", { class: "rolls" }, ...rolls.map(rollView), ...scales.map(scaleView)),
  );
}

function rollView({ service, to, phase, reason, paused, rolled, of, slots }: RollRow): PageElement {
  const steps = slots.map(({ slot, rolled, busy }) => step(slot, busy ? "in work" : rolled ? "new" : "old"));
  return rollout(
    {
      key: `roll ${service}`,
      title: `Roll of ${service}${to === "former" ? " to the version before" : ""}`,
      phase,
      reason,
      paused,
      done: rolled,
      of,
    },
    steps,
  );
}

function scaleView({ service, phase, from, to, reason, paused, slots }: ScaleRow): PageElement {
  const done = slots.filter((slot) => slot.done).length;
  const steps = slots.map((slot) => step(slot.slot, slot.done ? "done" : "in work"));
  return rollout(
    {
      key: `scale ${service}`,
      title: `Scale of ${service}, ${from} to ${to}`,
      phase,
      reason,
      paused,
      done,
      of: slots.length,
    },
    steps,
  );
}

interface Progress {
  readonly key: string;
  readonly title: string;
  readonly phase: string;
  readonly reason: string | null;
  readonly paused: boolean;
  readonly done: number;
  readonly of: number;
}

function rollout(
  { key, title, phase, reason, paused, done, of }: Progress,
  steps: readonly PageElement[],
): PageElement {
  return h(
    "li",
    { key },
    h("div", { class: "rollout" }, h("strong", {}, title), ` ${paused ? "paused" : phase}, ${done} of ${of}`),
    h("progress", { max: Math.max(1, of), value: done, "aria-label": title }),
    h("ul", { class: "steps" }, ...steps),
    reason !== null && h("span", { class: "why" }, reason),
  );
}

function step(slot: string, state: string): PageElement {
  return h("li", { key: slot, class: state.replace(" ", "-") }, `${slot} ${state}`);
}
