// Pure. The whole page in its order: state, what needs people, topology, pools, rolls, members, incidents, orders.

import type { MemberShown } from "../document/document.ts";
import { agoShown } from "./format.ts";
import { headerView } from "./header-view.ts";
import { incidentsView } from "./incidents-view.ts";
import { membersView } from "./members-view.ts";
import { command, mark, section, since } from "./pieces.ts";
import { poolsView, rolloutsView } from "./pools-view.ts";
import { topologyView } from "./topology-view.ts";
import { h, type PageElement } from "./tree.ts";
import type { Viewed } from "./viewed.ts";

/** More odd members than this are in the table alone. */
const ATTENTION_MAX = 8;

export function pageView(viewed: Viewed): PageElement[] {
  const { members } = viewed.state;
  const main = [
    attentionView(viewed),
    members.length > 0 && topologyView(viewed),
    rolloutsView(viewed),
    viewed.state.pools.length > 0 && poolsView(viewed),
    members.length > 0 && membersView(viewed),
    incidentsView(viewed),
    ordersView(viewed),
  ];
  return [
    h("a", { key: "skip", class: "skip", href: "#main" }, "Skip to the members"),
    headerView(viewed),
    h("main", { key: "main", id: "main", class: viewed.link.kind === "lost" ? "stale" : undefined }, ...main),
    footer(),
  ];
}

/** What is not as it should be, the worst first, with what to do. */
function attentionView({ state, nowMs, link }: Viewed): PageElement | undefined {
  const rank = { bad: 0, odd: 1, off: 2, good: 3 } as const;
  const odd = state.members.filter(
    ({ severity, command }) => severity === "bad" || severity === "odd" || command !== null,
  );
  if (odd.length === 0) return undefined;
  const worst = [...odd].sort((one, other) => rank[one.severity] - rank[other.severity]);
  const item = ({ id, status, severity, reason, next, remarks, sinceMs, command: cure }: MemberShown) =>
    h(
      "li",
      { key: id },
      h("a", { href: `#member-${id}` }, id),
      " ",
      mark(severity, severity === "good" ? remarks.join(", ") : status),
      " ",
      severity !== "good" && since(sinceMs, sinceMs === null ? null : agoShown(nowMs - sinceMs)),
      reason !== "" && h("span", { class: "why" }, reason),
      next !== "" && h("span", { class: "next" }, `Next: ${next}`),
      cure !== null && command(cure, link.kind !== "none"),
    );
  const more = worst.length - ATTENTION_MAX;
  return section(
    "attention",
    "Needs a look",
    h("ul", { class: "attention" }, ...worst.slice(0, ATTENTION_MAX).map(item)),
    more > 0 && h("p", { class: "none" }, `and ${more} more in the table`),
  );
}

function ordersView({ orders, notice, link }: Viewed): PageElement | undefined {
  if (link.kind === "none") return undefined;
  const said = h(
    "p",
    { key: "notice", class: notice?.ok === false ? "notice bad" : "notice", role: "status" },
    notice?.text ?? "",
  );
  if (orders === "off")
    return section(
      "orders",
      "Orders",
      h(
        "p",
        { class: "none" },
        "To drain, hold, heal and roll from here, set API_TOKEN for the watchdog and enter it here.",
      ),
      said,
    );
  if (orders === "open")
    return section(
      "orders",
      "Orders",
      h("p", { class: "none" }, "Each member and pool has its buttons, for as long as this tab is open. "),
      h("button", { type: "button", "data-forget": true }, "Forget the token"),
      said,
    );
  return section(
    "orders",
    "Orders",
    h(
      "form",
      { id: "token-form" },
      h("label", { for: "token" }, "API token"),
      h("input", { id: "token", name: "token", type: "password", autocomplete: "off", required: true }),
      h("button", { type: "submit" }, "Unlock the buttons"),
    ),
    said,
  );
}

function footer(): PageElement {
  const links = [
    ["/api/docs", "API"],
    ["/api/v1/state", "state as JSON"],
    ["/metrics", "metrics"],
    ["/sd/targets", "Prometheus targets"],
  ] as const;
  return h("footer", { key: "footer" }, ...links.flatMap(([href, text]) => [h("a", { href }, text), " "]));
}
