// The API for scripts and for watchdogctl, under /api: state, incidents and orders, all JSON as schema.ts says. It passes
// orders on and decides nothing about members; access.ts says who may give them, and who may read logs. Every error is one line.

import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import { z } from "zod";
import type { Incident, IncidentSummary } from "../incidents/incident.ts";
import { whyNoLog, whyNoOrder } from "./access.ts";
import { type AccessSettings, apiRequestOf } from "./asker.ts";
import {
  type ApiError,
  type IncidentDocument,
  type IncidentList,
  type OrderKind,
  type OrderTaken,
  orderKinds,
  type RollList,
  type RollRow,
  type RollTaken,
} from "./schema.ts";
import { type RoundState, stateDocument } from "./view.ts";

/** What an operator may order of a slot. Each answers at once; what follows shows in the state. */
export type Controls = { readonly [Kind in OrderKind]: (slot: string) => OrderAnswer };

export type OrderAnswer =
  | { readonly ok: true }
  /** 404: there is no such slot; 409: not as things are. The reason is one line. */
  | { readonly ok: false; readonly status: 404 | 409; readonly reason: string };

export interface Rolls {
  /** Begins one. */
  order(service: string): OrderAnswer;
  rows(): RollRow[];
}

export interface KeptIncidents {
  /** The newest first. */
  readonly all: readonly IncidentSummary[];
  get(number: number): Promise<Incident | undefined>;
}

export interface JsonApiOptions extends AccessSettings {
  readonly state: () => RoundState;
  readonly controls: Controls;
  readonly incidents: KeptIncidents;
  readonly rolls: Rolls;
}

const listQuery = z.object({
  slot: z.string("slot is given once").optional(),
  limit: z
    .string("limit is given once")
    .regex(/^[1-9]\d{0,8}$/, "limit is a whole number from 1")
    .transform(Number)
    .optional(),
});

export function jsonApi({ state, controls, incidents, rolls, ...access }: JsonApiOptions): Router {
  const router = express.Router();
  const reads: Record<string, RequestHandler<{ number: string }>> = {
    "/state": (_request, response) => {
      response.json(stateDocument(state()));
    },
    "/rolls": (_request, response) => {
      response.json({ rolls: rolls.rows() } satisfies RollList);
    },
    "/incidents": (request, response) => list(incidents, request, response),
    "/incidents/:number": (request, response) => {
      return show(incidents, request.params.number, whyNoLog(apiRequestOf(request, access)), response);
    },
  };
  for (const [path, answer] of Object.entries(reads)) router.route(path).get(answer).all(notAllowed("GET, HEAD"));
  for (const order of orderKinds) {
    const obey: RequestHandler<{ slot: string }> = (request, response) => {
      const refusal = whyNoOrder(apiRequestOf(request, access));
      if (refusal !== undefined) return fail(response, 403, refusal);
      const { slot } = request.params;
      const answer = controls[order](slot);
      if (answer.ok) response.json({ slot, order } satisfies OrderTaken);
      else fail(response, answer.status, answer.reason);
    };
    router.route(`/slots/:slot/${order}`).post(obey).all(notAllowed("POST"));
  }
  const begin: RequestHandler<{ service: string }> = (request, response) => {
    const refusal = whyNoOrder(apiRequestOf(request, access));
    if (refusal !== undefined) return fail(response, 403, refusal);
    const { service } = request.params;
    const answer = rolls.order(service);
    if (answer.ok) response.status(202).json({ service } satisfies RollTaken);
    else fail(response, answer.status, answer.reason);
  };
  router.route("/rolls/:service").post(begin).all(notAllowed("POST"));
  router.use((_request, response) =>
    fail(response, 404, "the API has /api/state, /api/incidents, /api/slots and /api/rolls"),
  );
  router.use(onError);
  return router;
}

function list({ all }: KeptIncidents, { query }: Request, response: Response): void {
  const asked = listQuery.safeParse(query);
  if (!asked.success) {
    fail(response, 400, asked.error.issues[0]?.message ?? "the query is faulty");
    return;
  }
  const { slot, limit } = asked.data;
  const matching = all.filter((incident) => slot === undefined || incident.slot === slot);
  response.json({ incidents: matching.slice(0, limit) } satisfies IncidentList);
}

/** @param withheld why the log is not for this asker; undefined: it is */
async function show(
  incidents: KeptIncidents,
  number: string,
  withheld: string | undefined,
  response: Response,
): Promise<void> {
  const incident = /^\d{1,15}$/.test(number) ? await incidents.get(Number(number)) : undefined;
  if (incident === undefined) {
    fail(response, 404, `there is no incident ${number}, or it is no longer kept: /api/incidents lists those that are`);
    return;
  }
  const shown = withheld === undefined ? incident : { ...incident, log: [], logWithheld: withheld };
  response.json(shown satisfies IncidentDocument);
}

function notAllowed(allow: string): RequestHandler {
  return ({ method }, response) => {
    response.set("Allow", allow);
    fail(response, 405, `${method} means nothing here: use ${allow}`);
  };
}

/** Answers a path that cannot be decoded, say. A fault of our own goes to the log, with its stack. */
const onError: ErrorRequestHandler = (error: { status?: number; message: string }, _request, response, next) => {
  if (error.status === undefined || error.status >= 500) next(error);
  else fail(response, error.status, error.message);
};

function fail(response: Response, status: number, error: string): void {
  response.status(status).json({ error } satisfies ApiError);
}
