// Pure. The top of the page: the state in a word, which system it is, what goes through it; and what is to be known before all else.

import type { Overview, Word } from "../document/document.ts";
import { agoShown, clockShown, msShown, rateShown, shareShown } from "./format.ts";
import { severityOf } from "./pieces.ts";
import { h, type PageElement } from "./tree.ts";
import type { Viewed } from "./viewed.ts";

const SAID: Readonly<Record<Word, string>> = {
  serving: "Serving",
  degraded: "Degraded",
  outage: "Outage",
  unknown: "Unknown",
};

/** Of a watchdog that is not heard, what it last said is no longer known. */
function wordShown({ state, link }: Pick<Viewed, "state" | "link">): Word {
  return link.kind === "lost" ? "unknown" : state.overview.word;
}

export function titleOf(viewed: Pick<Viewed, "state" | "link">): string {
  const { project } = viewed.state.overview;
  return `${SAID[wordShown(viewed)]}: ${project}, Evenkeel`;
}

export function headerView(viewed: Viewed): PageElement {
  const { state, traffic, nowMs, link } = viewed;
  const word = wordShown(viewed);
  const { overview } = state;
  const reason =
    link.kind === "lost"
      ? `Before the watchdog fell silent: ${overview.word}, ${overview.reason}.`
      : `${overview.reason}.`;
  return h(
    "header",
    { key: "header", class: `top ${severityOf(word)}` },
    h("div", { class: "who" }, h("strong", {}, "Evenkeel"), facts(overview, nowMs)),
    h(
      "div",
      { class: "state", role: "status" },
      h("h1", { class: `mark ${severityOf(word)}` }, SAID[word]),
      h("p", { class: "reason" }, capital(reason)),
    ),
    figures(traffic),
    banner(viewed),
  );
}

function facts({ project, version, registryVersion, watchdogSinceMs }: Overview, nowMs: number): PageElement {
  return h(
    "ul",
    { class: "facts" },
    h("li", {}, project),
    h("li", {}, `version ${version}`),
    h("li", {}, `registry ${registryVersion}`),
    h("li", {}, `watchdog up ${agoShown(nowMs - watchdogSinceMs)}`),
    h("li", {}, h("time", { datetime: new Date(nowMs).toISOString() }, `${clockShown(nowMs)} UTC`)),
  );
}

function figures(traffic: Viewed["traffic"]): PageElement {
  const total = traffic?.total;
  const tile = (name: string, value: string, unit: string, shape?: string) =>
    h("div", { class: shape }, h("dt", {}, name), h("dd", {}, value, unit !== "" && h("small", {}, ` ${unit}`)));
  const errors = total?.errorShare ?? 0;
  return h(
    "dl",
    { class: "figures" },
    tile("Requests", rateShown(total?.perSecond), "/s"),
    tile("Errors", shareShown(total?.errorShare), "%", errors > 0 ? "bad" : undefined),
    tile("p99", msShown(total?.p99Ms), "ms"),
    tile("In flight", total ? String(total.inFlight) : "–", ""),
  );
}

/** What a screen reader is told at once; how long it has been is not said again each second. */
function banner({ link, state, nowMs }: Viewed): PageElement | undefined {
  if (link.kind === "lost") {
    const text = `Watchdog unreachable since ${clockShown(link.sinceMs)} UTC; traffic goes on: balancer and proxies keep the last registry.`;
    const ago = h(
      "span",
      { class: "ago" },
      ` For ${agoShown(nowMs - link.sinceMs)} now. What stands below is of before.`,
    );
    return h("div", { class: "banner" }, h("span", { role: "alert" }, text), ago);
  }
  const { failing } = state.overview;
  if (failing === null) return undefined;
  const text = `The watchdog's rounds fail: ${failing}`;
  return h("div", { class: "banner" }, h("span", { role: "alert" }, text));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
