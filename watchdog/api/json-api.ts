// The API for scripts and for watchdogctl, under /api: state, incidents and orders, all JSON as schema.ts says. It passes
// orders on and decides nothing about members; access.ts says who may give them, and who may read logs. Every error is one line.

import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import * as z from "zod";
import type { Incident, IncidentSummary } from "../incidents/incident.ts";
import { whyNoLog } from "./access.ts";
import { type AccessSettings, apiRequestOf } from "./asker.ts";
import { type Controls, orderRoutes, type Rolls, type Scales } from "./order-routes.ts";
import type { ApiError, IncidentDocument, IncidentList, RollList, ScaleList } from "./schema.ts";
import { type RoundState, stateDocument } from "./view.ts";

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
  readonly scales: Scales;
}

const listQuery = z.object({
  slot: z.string("slot is given once").optional(),
  limit: z
    .string("limit is given once")
    .regex(/^[1-9]\d{0,8}$/, "limit is a whole number from 1")
    .transform(Number)
    .optional(),
});

export function jsonApi({ state, controls, incidents, rolls, scales, ...access }: JsonApiOptions): Router {
  const router = express.Router();
  const reads: Record<string, RequestHandler<{ number: string }>> = {
    "/state": (_request, response) => {
      response.json(stateDocument(state()));
    },
    "/rolls": (_request, response) => {
      response.json({ rolls: rolls.rows() } satisfies RollList);
    },
    "/scales": (_request, response) => {
      response.json({ scales: scales.rows() } satisfies ScaleList);
    },
    "/incidents": (request, response) => list(incidents, request, response),
    "/incidents/:number": (request, response) => {
      return show(incidents, request.params.number, whyNoLog(apiRequestOf(request, access)), response);
    },
  };
  for (const [path, answer] of Object.entries(reads)) router.route(path).get(answer).all(notAllowed("GET, HEAD"));
  const orders = orderRoutes({ controls, rolls, scales, access });
  for (const [path, obey] of Object.entries(orders)) router.route(path).post(obey).all(notAllowed("POST"));
  router.use((_request, response) =>
    fail(
      response,
      404,
      "the API has /api/state, /api/incidents, /api/slots, /api/services, /api/rolls and /api/scales",
    ),
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
    fail(response, 404, `there is no incident ${number}: it is no longer kept, or never was`);
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
  else fail(response, error.status, error.message.split("\n", 1)[0] as string);
};

function fail(response: Response, status: number, error: string): void {
  response.status(status).json({ error } satisfies ApiError);
}
