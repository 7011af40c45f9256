// Pure. The topology as a drawing: boxes with a state's shape and word, lines with the requests a second that pass along them.

import type { TrafficShown } from "../../traffic/figures.ts";
import type { MemberShown, PoolShown } from "../document/document.ts";
import { rateShown } from "./format.ts";
import { section } from "./pieces.ts";
import { remembered } from "./remembered.ts";
import { type Drawing, type DrawnEdge, type DrawnNode, drawingOf, NODE } from "./topology.ts";
import { h, type PageElement } from "./tree.ts";
import type { Viewed } from "./viewed.ts";

const MARGIN = 4;
/** More lines than this do not move: a browser draws each of them anew for each step. */
const MOVING_MAX = 24;

export function topologyView({ state, traffic, narrow }: Viewed): PageElement {
  return drawn(state.members, state.pools, traffic, narrow);
}

const drawn = remembered(drawnTopology);

function drawnTopology(
  members: readonly MemberShown[],
  pools: readonly PoolShown[],
  traffic: TrafficShown | null,
  narrow: boolean,
): PageElement {
  const drawing = drawingOf({ members, pools, traffic, narrow });
  const { width, height, nodes, edges } = drawing;
  const box = `${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN + (narrow ? 60 : 0)} ${height + 2 * MARGIN}`;
  return section(
    "topology",
    "Topology",
    h(
      "div",
      { class: "drawing", role: "img", "aria-label": spoken(drawing) },
      h(
        "svg",
        {
          viewBox: box,
          class: `${narrow ? "narrow" : "across"}${edges.length > MOVING_MAX ? " still" : ""}`,
          "aria-hidden": "true",
        },
        h("g", { class: "edges" }, ...edges.map(edgeView)),
        h("g", { class: "nodes" }, ...nodes.map(nodeView)),
        h("g", { class: "rates" }, ...edges.map(rateView)),
      ),
    ),
  );
}

/** In words: the tables say the same in full. */
function spoken({ nodes, edges }: Drawing): string {
  const states = nodes.filter(({ severity }) => severity !== "good" && severity !== "off");
  const odd = states.map(({ label, note }) => `${label} is ${note}`).join(", ");
  const flows = edges.filter(({ perSecond }) => perSecond !== undefined && perSecond > 0).slice(0, 12);
  const said = flows.map(({ from, to, perSecond }) => `${from} to ${to} ${rateShown(perSecond)} requests a second`);
  return [`${nodes.length} nodes`, odd || "all well", ...said].join("; ");
}

function edgeView({ from, to, path, perSecond = 0, failing }: DrawnEdge): PageElement {
  const shape = failing ? "failing" : perSecond > 0 ? "busy" : "idle";
  const weight = perSecond > 0 ? Math.min(5, 1.2 + Math.log10(1 + perSecond)) : 1;
  return h("path", { key: `${from} ${to}`, class: shape, d: path, "stroke-width": weight.toFixed(1) });
}

function rateView({ from, to, x, y, perSecond, failing }: DrawnEdge): PageElement {
  const text = perSecond === undefined ? "" : `${rateShown(perSecond)}/s`;
  return h("text", { key: `${from} ${to}`, x, y, class: failing ? "failing" : undefined }, text);
}

function nodeView({ id, label, note, severity, x, y }: DrawnNode): PageElement {
  const isClients = id === "clients";
  return h(
    "g",
    { key: id, class: `node ${severity}`, transform: `translate(${x} ${y})` },
    h("rect", { width: NODE.width, height: NODE.height, rx: 8 }),
    !isClients && h("path", { class: "shape", d: SHAPES[severity] }),
    h("text", { class: "name", x: isClients ? 14 : 28, y: note === "" ? 25 : 17 }, short(label, 17)),
    note !== "" && h("text", { class: "note", x: 28, y: 31 }, short(note, 21)),
  );
}

/** Round is well, a triangle is odd, a square is bad, a ring is off, a diamond is not known. */
const SHAPES: Readonly<Record<DrawnNode["severity"], string>> = {
  good: "M9 20a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0 -11 0z",
  odd: "M14.5 13.5l6.5 12h-13z",
  bad: "M9 14.5h11v11h-11z",
  off: "M10 20a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z",
  unknown: "M14.5 13l6.5 7l-6.5 7l-6.5 -7z",
};

function short(text: string, max: number): string {
  return text.length > max ? `${text.slice(0, max - 1)}…` : text;
}
