// Pure. Every operation of /api/v1, as a table: the routes and the OpenAPI document are both made from it.

import type { DocumentName } from "./documents.ts";
import type { ProblemName } from "./problems.ts";

export interface Operation {
  readonly method: "get" | "post";
  /** Below /api/v1, as OpenAPI writes paths. */
  readonly path: string;
  readonly summary: string;
  readonly group: "state" | "incidents" | "slots" | "services" | "orders";
  /** Names of the query. */
  readonly query?: Readonly<Record<string, string>>;
  /** Has to be sent. */
  readonly body?: DocumentName;
  readonly answers: DocumentName | "events";
  /** 202: it has begun; Location says where it is followed. */
  readonly status: 200 | 202;
  /** Beside those that any operation may be refused with. */
  readonly problems: readonly ProblemName[];
}

const read = (path: string, summary: string, answers: Operation["answers"], group: Operation["group"]): Operation => ({
  ...{ method: "get", path, summary, answers, group, status: 200 },
  problems: path.includes("{") ? ["not-found"] : [],
});

const order = (path: string, summary: string, answers: DocumentName, body?: DocumentName): Operation => ({
  ...{ method: "post", path, summary, answers, status: answers === "Order" ? 202 : 200 },
  group: path.startsWith("/slots") ? "slots" : "services",
  problems: ["not-found", "conflict", ...(body === undefined ? [] : (["invalid-value"] as const))],
  ...(body && { body }),
});

const operations = {
  getState: read("/state", "The registry's version, a row for each slot, and why rounds fail", "State", "state"),
  listIncidents: {
    ...read("/incidents", "Heals, newest first", "IncidentList", "incidents"),
    query: { slot: "of this slot alone", limit: "so many at most" },
    problems: ["invalid-value"],
  },
  getIncident: read(
    "/incidents/{number}",
    "All of one heal, and the last lines of the member before",
    "Incident",
    "incidents",
  ),
  listRolls: read("/rolls", "Of each service that was rolled, the last roll", "RollList", "services"),
  listScales: read("/scales", "Of each service that was scaled, the last time", "ScaleList", "services"),
  listOrders: read("/orders", "The latest orders that take their time, newest first", "OrderList", "orders"),
  getOrder: read("/orders/{order}", "One of them, with what became of it so far", "Order", "orders"),
  followOrder: {
    ...read("/orders/{order}/events", "What becomes of it, as server-sent events until it is over", "events", "orders"),
    problems: ["not-found", "too-many-streams"],
  },
  holdSlot: order(
    "/slots/{slot}/hold",
    "From now on nothing is done about the slot, until it is released",
    "SlotOrder",
  ),
  releaseSlot: order("/slots/{slot}/release", "The slot is looked after again", "SlotOrder"),
  healSlot: order("/slots/{slot}/heal", "The slot's member is replaced, as if it had failed", "Order"),
  weighSlot: order(
    "/slots/{slot}/weight",
    "The slot's share beside the others', 0 to 256; null: what its label says",
    "SlotWeight",
    "WeightOrder",
  ),
  pauseService: order(
    "/services/{service}/pause",
    "Its members are neither healed nor rolled, until it is resumed",
    "ServiceOrder",
  ),
  resumeService: order("/services/{service}/resume", "Its members are looked after again", "ServiceOrder"),
  rollService: order("/services/{service}/roll", "Every replica becomes like the last one, one by one", "Order"),
  rollbackService: order(
    "/services/{service}/rollback",
    "Every replica becomes what it was before: the last version that has worked and is not this one",
    "Order",
  ),
  scaleService: order("/services/{service}/scale", "So many replicas, 1 to 64", "Order", "ScaleOrder"),
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

export function operationList(): (readonly [OperationName, Operation])[] {
  return Object.entries(operations) as [OperationName, Operation][];
}

/** The names in a path: `slot` of `/slots/{slot}/hold`. */
export function parametersOf({ path }: Operation): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
}

/** Any order may be refused with these. */
export const orderProblems = [
  "malformed-request",
  "no-token",
  "wrong-token",
  "from-a-web-page",
  "body-too-large",
  "not-json",
  "idempotency-key-reused",
] as const satisfies readonly ProblemName[];

/** And anything with these. */
export const anyProblems = ["wrong-host", "standing-by"] as const satisfies readonly ProblemName[];
