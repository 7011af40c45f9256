// Pure. Where the topology's nodes and edges are drawn: clients, balancer, proxies, servers, from left to right, or on a narrow page
// downwards and indented. Many servers are drawn as their pools.

import type { Edge, TrafficShown } from "../../traffic/figures.ts";
import type { MemberShown, PoolShown, Severity } from "../document/document.ts";
import { figuresOf } from "./format.ts";

export interface DrawnNode {
  readonly id: string;
  readonly label: string;
  /** Below its name. */
  readonly note: string;
  readonly severity: Severity | "unknown";
  readonly x: number;
  readonly y: number;
}

export interface DrawnEdge {
  readonly from: string;
  readonly to: string;
  readonly path: string;
  /** Undefined: not known yet. */
  readonly perSecond: number | undefined;
  readonly failing: boolean;
  /** Where the rate is written. */
  readonly x: number;
  readonly y: number;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}

export interface Drawn {
  readonly members: readonly MemberShown[];
  readonly pools: readonly PoolShown[];
  readonly traffic: TrafficShown | null;
  readonly narrow: boolean;
}

export const NODE = { width: 148, height: 40 } as const;
/** Of more servers the pools are drawn. */
const SERVERS_DRAWN_MAX = 16;
/** Between nodes, down and across; a tall drawing is closer and wider, so that it need not be made smaller. */
const USUAL = { gap: 14, column: 268 } as const;
const TALL = { gap: 6, column: 344 } as const;
const TALL_ROWS = 10;
const CLIENTS = "clients";

interface Planned extends Omit<DrawnNode, "x" | "y"> {
  readonly level: number;
  /** Nodes that it sends to. */
  readonly next: readonly string[];
}

export function drawingOf(drawn: Drawn): Drawing {
  const planned = plannedNodes(drawn);
  const nodes = drawn.narrow ? downwards(planned) : across(planned);
  const at = new Map(nodes.map((node) => [node.id, node]));
  const targetOf = targets(drawn);
  const wanted = planned.flatMap(({ id, next }) => next.map((to) => ({ from: id, to })));
  const seen = (drawn.traffic?.edges ?? [])
    .filter(({ perSecond }) => perSecond > 0)
    .map(({ from, to }) => ({ from, to: targetOf(to) }))
    .filter(({ from, to }) => at.has(from) && at.has(to));
  const pairs = [...new Map([...wanted, ...seen].map((pair) => [`${pair.from} ${pair.to}`, pair])).values()];
  const edges = pairs.map(({ from, to }) => {
    const beside = pairs.filter((pair) => pair.to === to).map((pair) => pair.from);
    const port = beside.length === 1 ? undefined : beside.indexOf(from) - (beside.length - 1) / 2;
    const ends = [at.get(from) as DrawnNode, at.get(to) as DrawnNode] as const;
    return {
      from,
      to,
      ...rateOf({ from, to }, drawn, targetOf),
      ...(drawn.narrow ? elbow(...ends, port) : curve(...ends, port)),
    };
  });
  return { ...sizeOf(nodes), nodes, edges };
}

function plannedNodes({ members, pools }: Drawn): Planned[] {
  const balancers = members.filter(({ role }) => role === "balancer");
  const proxies = members.filter(({ role }) => role === "proxy");
  const servers = members.filter(({ role }) => role === "server");
  const byPool = servers.length > SERVERS_DRAWN_MAX;
  const behind = (proxy: MemberShown) =>
    servers.filter(({ group }) => group === proxy.group).map(({ id, pool }) => (byPool ? `pool ${pool}` : id));
  const last = byPool
    ? pools.filter(({ kind }) => kind === "servers").map(poolNode)
    : servers.map((one) => memberNode(one, 3, []));
  const proxyNodes = proxies.map((one) => memberNode(one, 2, [...new Set(behind(one))]));
  const first = proxies.length > 0 ? proxies.map(({ id }) => id) : last.map(({ id }) => id);
  const clients: Planned = {
    id: CLIENTS,
    label: "clients",
    note: "",
    severity: "off",
    level: 0,
    next: balancers.map(({ id }) => id),
  };
  return [clients, ...balancers.map((one) => memberNode(one, 1, first)), ...proxyNodes, ...last];
}

function memberNode({ id, status, severity, address }: MemberShown, level: number, next: readonly string[]): Planned {
  return { id, label: id, note: severity === "good" ? (address ?? status) : status, severity, level, next };
}

function poolNode({ name, serving, of, word }: PoolShown): Planned {
  const severity = ({ serving: "good", degraded: "odd", outage: "bad", unknown: "unknown", stopped: "off" } as const)[
    word
  ];
  return { id: `pool ${name}`, label: name, note: `${serving} of ${of} serve`, severity, level: 3, next: [] };
}

/** Each node beside the middle of those that it sends to. */
function across(planned: readonly Planned[]): DrawnNode[] {
  const levels = [0, 1, 2, 3].map((level) => planned.filter((node) => node.level === level));
  const rows = Math.max(...levels.map((nodes) => nodes.length));
  const { gap, column: across } = rows > TALL_ROWS ? TALL : USUAL;
  const height = rows * (NODE.height + gap) - gap;
  const filled = levels.filter((nodes) => nodes.length > 0);
  return filled.flatMap((nodes, column) => {
    const step = Math.max(NODE.height + gap, height / Math.max(1, nodes.length));
    const top = (height - step * (nodes.length - 1)) / 2;
    return nodes.map((node, index) => placed(node, column * across, top + index * step - NODE.height / 2));
  });
}

/** A row a node, each below the one that sends to it. */
function downwards(planned: readonly Planned[]): DrawnNode[] {
  const byId = new Map(planned.map((node) => [node.id, node]));
  const order: Planned[] = [];
  const visit = (node: Planned | undefined) => {
    if (node === undefined || order.includes(node)) return;
    order.push(node);
    for (const id of node.next) visit(byId.get(id));
  };
  for (const node of planned) visit(node);
  return order.map((node, index) => placed(node, node.level * 26, index * (NODE.height + 10)));
}

function placed({ id, label, note, severity }: Planned, x: number, y: number): DrawnNode {
  return { id, label, note, severity, x, y };
}

function sizeOf(nodes: readonly DrawnNode[]): { readonly width: number; readonly height: number } {
  const width = Math.max(...nodes.map(({ x }) => x)) + NODE.width;
  return { width, height: Math.max(...nodes.map(({ y }) => y)) + NODE.height };
}

/** @param port where it arrives beside others, in steps from the middle; alone: undefined */
function curve(from: DrawnNode, to: DrawnNode, port: number | undefined): Pick<DrawnEdge, "path" | "x" | "y"> {
  const [x1, y1] = [from.x + NODE.width, from.y + NODE.height / 2];
  const [x2, y2] = [to.x, to.y + NODE.height / 2 + (port ?? 0) * 14];
  const bend = (x2 - x1) / 2;
  // What comes from above has its rate below it.
  const isBelow = port === undefined && y1 < y2 - 1;
  return {
    path: `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`,
    x: x2 - 8,
    y: isBelow ? y2 + 14 : y2 - 5,
  };
}

function elbow(from: DrawnNode, to: DrawnNode, port = 0): Pick<DrawnEdge, "path" | "x" | "y"> {
  const [x1, y1] = [from.x + 12, from.y + NODE.height];
  const [x2, y2] = [to.x, to.y + NODE.height / 2];
  return { path: `M${x1} ${y1}V${y2}H${x2}`, x: to.x + NODE.width + 44, y: y2 + 4 + port * 14 };
}

function targets({ members }: Drawn): (id: string) => string {
  const servers = members.filter(({ role }) => role === "server");
  const poolOf = new Map(servers.map(({ id, pool }) => [id, `pool ${pool}`]));
  return (id) => (servers.length > SERVERS_DRAWN_MAX ? (poolOf.get(id) ?? id) : id);
}

type Rate = Pick<DrawnEdge, "perSecond" | "failing">;

function rateOf(
  { from, to }: { from: string; to: string },
  { traffic }: Drawn,
  targetOf: (id: string) => string,
): Rate {
  if (traffic === null) return { perSecond: undefined, failing: false };
  const of: readonly Pick<Edge, "perSecond" | "errorShare">[] =
    from === CLIENTS
      ? [figuresOf(to, traffic.members) ?? []].flat()
      : traffic.edges.filter((edge) => edge.from === from && targetOf(edge.to) === to);
  // Of a tier that has not been looked at twice nothing is known: that is not nought.
  const isSeen = from === CLIENTS ? of.length > 0 : traffic.edges.some((edge) => edge.from === from);
  if (!isSeen) return { perSecond: undefined, failing: false };
  return {
    perSecond: of.reduce((sum, { perSecond }) => sum + perSecond, 0),
    failing: of.some(({ errorShare }) => (errorShare ?? 0) > 0),
  };
}
