// What each operation of /api/v1 does: it reads, or passes an order on to those who take it. Decides nothing about members.

import type { RollTarget } from "../../rollout/roll.ts";
import type { JsonApiOptions } from "../json-api.ts";
import type { OrderAnswer } from "../order-routes.ts";
import { type IncidentDocument, scaleOrderSchema, weightOrderSchema } from "../schema.ts";
import { stateDocument } from "../view.ts";
import { found, notFound, type OperationAnswer, refusalOf } from "./answer.ts";
import { incidentQuerySchema } from "./contract/documents.ts";
import type { OperationName } from "./contract/operations.ts";
import type { ApiProblem } from "./contract/problems.ts";
import type { NewOrder, OrderBook } from "./order-book.ts";
import { healProgress, rollProgress, scaleProgress } from "./progress.ts";

interface AskedOperation {
  /** A name of its path. */
  readonly word: (name: string) => string;
  readonly query: unknown;
  /** As its schema says, where it has one. */
  readonly body: unknown;
  /** Why it may not read what members wrote; undefined: it may. */
  readonly logWithheld: string | undefined;
}

type Outcome = OperationAnswer | ApiProblem;
export type Handler = (asked: AskedOperation) => Outcome | Promise<Outcome>;
export type Handlers = Readonly<Record<Exclude<OperationName, "followOrder">, Handler>>;

export function handlersOf(options: JsonApiOptions, book: OrderBook): Handlers {
  return { ...readers(options, book), ...quickOrders(options), ...longOrders(options, book) };
}

function readers({ state, incidents, rolls, scales }: JsonApiOptions, book: OrderBook) {
  return {
    getState: () => found(stateDocument(state())),
    listRolls: () => found({ rolls: rolls.rows() }),
    listScales: () => found({ scales: scales.rows() }),
    listOrders: () => found({ orders: book.all }),
    getOrder: ({ word }) => {
      const order = book.get(word("order"));
      return order === undefined ? noOrder(word("order")) : found(order);
    },
    listIncidents: ({ query }) => {
      const asked = incidentQuerySchema.safeParse(query);
      if (!asked.success)
        return { problem: "invalid-value", detail: asked.error.issues[0]?.message ?? "the query is faulty" };
      const { slot, limit } = asked.data;
      const matching = incidents.all.filter((incident) => slot === undefined || incident.slot === slot);
      return found({ incidents: limit === undefined ? matching : matching.slice(0, Number(limit)) });
    },
    getIncident: async ({ word, logWithheld }) => {
      const number = word("number");
      const incident = /^\d{1,15}$/.test(number) ? await incidents.get(Number(number)) : undefined;
      if (incident === undefined) return notFound(`there is no incident ${number}: it is no longer kept, or never was`);
      const shown = logWithheld === undefined ? incident : { ...incident, log: [], logWithheld };
      return found(shown satisfies IncidentDocument);
    },
  } satisfies Partial<Handlers>;
}

export function noOrder(id: string): ApiProblem {
  return notFound(
    `there is no order ${id}: the latest are kept while the watchdog runs, and /api/v1/orders lists them`,
  );
}

function quickOrders({ controls }: JsonApiOptions) {
  const ofSlot = (order: "hold" | "release"): Handler => {
    return ({ word }) => taken(controls[order](word("slot")), { slot: word("slot"), order });
  };
  const ofService = (order: "pause" | "resume"): Handler => {
    return ({ word }) => taken(controls[order](word("service")), { service: word("service"), order });
  };
  return {
    holdSlot: ofSlot("hold"),
    releaseSlot: ofSlot("release"),
    pauseService: ofService("pause"),
    resumeService: ofService("resume"),
    weighSlot: ({ word, body }) => {
      const { weight } = weightOrderSchema.parse(body);
      return taken(controls.weigh(word("slot"), weight ?? undefined), { slot: word("slot"), weight });
    },
  } satisfies Partial<Handlers>;
}

function taken(answer: OrderAnswer, body: object): Outcome {
  return refusalOf(answer) ?? found(body);
}

function longOrders({ state, controls, incidents, rolls, scales }: JsonApiOptions, book: OrderBook) {
  const begun = (answer: OrderAnswer, order: NewOrder): Outcome => {
    const refusal = refusalOf(answer);
    if (refusal !== undefined) return refusal;
    const body = book.add(order);
    return { status: 202, body, location: `/api/v1/orders/${body.id}` };
  };
  const roll = (kind: "roll" | "rollback", to: RollTarget): Handler => {
    return async ({ word }) => {
      const service = word("service");
      // What is known of the one before goes when the next one begins.
      book.look();
      const look = () => rollProgress(rolls.rows().find((row) => row.service === service));
      return begun(await rolls.order(service, to), { kind, subject: service, look });
    };
  };
  return {
    healSlot: ({ word }) => {
      const slot = word("slot");
      const since = incidents.all[0]?.number ?? 0;
      const isThere = () => state().slotStates.some((each) => each.slot.id === slot);
      const look = () => healProgress(slot, { incidents: incidents.all, since, isThere: isThere() });
      return begun(controls.heal(slot), { kind: "heal", subject: slot, look });
    },
    rollService: roll("roll", "sample"),
    rollbackService: roll("rollback", "former"),
    scaleService: ({ word, body }) => {
      const service = word("service");
      book.look();
      const look = () => scaleProgress(scales.rows().find((row) => row.service === service));
      const { replicas } = scaleOrderSchema.parse(body);
      return begun(scales.order(service, replicas), { kind: "scale", subject: service, look });
    },
  } satisfies Partial<Handlers>;
}
