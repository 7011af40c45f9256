// Pure. The table of members: a row each, grouped by pool, the tiers first.

import type { Figures } from "../../traffic/figures.ts";
import type { MemberShown, PoolShown } from "../document/document.ts";
import { agoShown, clockShown, figuresOf, msShown, rateShown, shareShown } from "./format.ts";
import { body, cell, command, mark, orderButton, row, section, since, type TableColumn, table } from "./pieces.ts";
import { rememberedOf } from "./remembered.ts";
import { h, type PageElement } from "./tree.ts";
import type { Viewed } from "./viewed.ts";

const COLUMNS: readonly TableColumn[] = [
  { title: "Member" },
  { title: "State" },
  { title: "Address" },
  { title: "Version" },
  { title: "Weight", number: true },
  { title: "In flight", number: true },
  { title: "Requests", unit: "/s", number: true },
  { title: "Errors", unit: "%", number: true },
  { title: "p50", unit: "ms", number: true },
  { title: "p99", unit: "ms", number: true },
  { title: "Restarts", number: true },
  { title: "Last probe" },
];

interface Group {
  readonly key: string;
  readonly title: string;
  readonly members: readonly MemberShown[];
}

export function membersView(viewed: Viewed): PageElement {
  const { state, orders } = viewed;
  const columns = orders === "open" ? [...COLUMNS, { title: "Orders" }] : COLUMNS;
  const bodies = groupsOf(state.members, state.pools).map(({ key, title, members }) =>
    body(
      key,
      h(
        "tr",
        { key: "title", role: "row", class: "group" },
        h("th", { role: "rowheader", scope: "rowgroup", colspan: columns.length }, title),
      ),
      ...members.map((member) => rowOf(member, viewed)),
    ),
  );
  const members = h("div", { class: "wide-table" }, table("Members, by pool", columns, bodies));
  return section("members", "Members", probedAt(viewed), members);
}

/** The latest of all; a member that is behind says so in its row. */
function probedAt({ probes: { latestMs } }: Viewed): PageElement | undefined {
  if (latestMs === null) return undefined;
  const time = h("time", { datetime: new Date(latestMs).toISOString() }, `${clockShown(latestMs)} UTC`);
  return h("p", { class: "probed" }, "Latest probe at ", time);
}

function groupsOf(members: readonly MemberShown[], pools: readonly PoolShown[]): Group[] {
  const tiers = members.filter(({ role }) => role === "balancer" || role === "proxy");
  const others = members.filter(({ role, pool }) => pool === null && !tiers.some((tier) => tier.role === role));
  const group = (key: string, title: string, of: readonly MemberShown[]) =>
    of.length === 0 ? [] : [{ key, title, members: of }];
  return [
    ...group("tiers", "Balancer and proxies", tiers),
    ...pools.flatMap(({ name, kind, serving, of }) =>
      group(
        `pool ${name}`,
        `${kind === "servers" ? "Pool" : "Workers"} ${name}: ${serving} of ${of} serve`,
        members.filter(({ pool }) => pool === name),
      ),
    ),
    ...group("others", "Others", others),
  ];
}

function rowOf(member: MemberShown, { traffic, probes, nowMs, link, orders }: Viewed): PageElement {
  const { id, sinceMs } = member;
  const ago = sinceMs === null ? null : agoShown(nowMs - sinceMs);
  const probedMs = Object.hasOwn(probes.longAgoMs, id) ? probes.longAgoMs[id] : undefined;
  const probedAgo = probedMs === undefined ? null : agoShown(nowMs - probedMs);
  return memberRow(member, figuresOf(id, traffic?.members), ago, probedAgo, link.kind !== "none", orders === "open");
}

const memberRow = rememberedOf(drawnRow);

function drawnRow(
  member: MemberShown,
  figures: Figures | undefined,
  ago: string | null,
  probedAgo: string | null,
  scripted: boolean,
  withOrders: boolean,
): PageElement {
  const { id, severity, address, version, weight, restarts, probe } = member;
  const number = (label: string, text: string, bad = false) => cell(label, bad ? "number bad" : "number", text);
  return row(
    id,
    { class: severity, id: `member-${id}` },
    h("th", { scope: "row", role: "rowheader" }, id),
    cell("State", "is", ...stateOf(member, ago, scripted)),
    cell("Address", "mono", address ?? "–"),
    cell("Version", "mono", version ?? "–"),
    number("Weight", weight === null ? "–" : String(Number(weight.toFixed(2)))),
    number("In flight", figures === undefined ? "–" : String(figures.inFlight)),
    number("Requests /s", rateShown(figures?.perSecond)),
    number("Errors %", shareShown(figures?.errorShare), (figures?.errorShare ?? 0) > 0),
    number("p50 ms", msShown(figures?.p50Ms)),
    number("p99 ms", msShown(figures?.p99Ms)),
    number("Restarts", String(restarts)),
    cell("Last probe", "probe", probedAgo === null ? probe : `${probe}, ${probedAgo} ago`),
    ...(withOrders ? [cell("Orders", "orders", ...ordersOf(member))] : []),
  );
}

function stateOf(
  { status, severity, sinceMs, reason, next, remarks, command: cure }: MemberShown,
  ago: string | null,
  scripted: boolean,
) {
  return [
    mark(severity, status),
    " ",
    since(sinceMs, ago),
    ...remarks.flatMap((remark) => [" ", h("span", { class: "remark" }, remark)]),
    reason !== "" && h("span", { class: "why" }, reason),
    next !== "" && h("span", { class: "next" }, `Next: ${next}`),
    cure !== null && command(cure, scripted),
  ];
}

function ordersOf({ id, role, held, remarks }: MemberShown): PageElement[] {
  const path = (order: string) => `/api/slots/${encodeURIComponent(id)}/${order}`;
  const isDrained = remarks.some((remark) => remark.startsWith("drained"));
  const drain = isDrained
    ? orderButton("Refill", id, { path: path("weight"), body: { weight: null } })
    : orderButton("Drain", id, { path: path("weight"), body: { weight: 0 } });
  return [
    ...(role === "server" ? [drain] : []),
    held ? orderButton("Release", id, { path: path("release") }) : orderButton("Hold", id, { path: path("hold") }),
    orderButton("Heal", id, { path: path("heal") }),
  ];
}
