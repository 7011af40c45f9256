// The orders over HTTP: of a slot, of a service, of its roll, of its scale. Each is for whoever may give orders (access.ts); a body, where there is one, is
// small JSON as schema.ts says. What is answered is whether it was taken; the loop carries it out.

import express, { type Request, type RequestHandler, type Response } from "express";
import type * as z from "zod";
import { type RollTarget, rollTargets } from "../rollout/roll.ts";
import { whyNoOrder } from "./access.ts";
import { type AccessSettings, apiRequestOf } from "./asker.ts";
import {
  type ApiError,
  type OrderKind,
  type OrderTaken,
  orderKinds,
  type RollRow,
  type RollTaken,
  rollOrderSchema,
  type ScaleRow,
  type ScaleTaken,
  type ServiceOrderKind,
  type ServiceOrderTaken,
  scaleOrderSchema,
  serviceOrderKinds,
  type WeightTaken,
  weightOrderSchema,
} from "./schema.ts";

/** What an operator may order of a slot, or of a service. Each answers at once; what follows shows in the state. */
export type Controls = { readonly [Kind in OrderKind]: (slot: string) => OrderAnswer } & {
  readonly [Kind in ServiceOrderKind]: (service: string) => OrderAnswer;
} & {
  /** @param weight undefined: what its label says */
  readonly weigh: (slot: string, weight: number | undefined) => OrderAnswer;
};

export type OrderAnswer =
  | { readonly ok: true }
  /** 404: there is no such slot; 409: not as things are. The reason is one line. */
  | { readonly ok: false; readonly status: 404 | 409; readonly reason: string };

export interface Rolls {
  /** Begins one. */
  order(service: string, to: RollTarget): Promise<OrderAnswer>;
  rows(): RollRow[];
}

export interface Scales {
  /** Begins one. */
  order(service: string, replicas: number): OrderAnswer;
  rows(): ScaleRow[];
}

const ROLL_WANTED = `send {"to": "former"}, or one of ${rollTargets.join(", ")}; nothing is sample`;
const BODY_BYTES_MAX = 1_024;

export interface OrderRoutesParts {
  readonly controls: Controls;
  readonly rolls: Rolls;
  readonly scales: Scales;
  readonly access: AccessSettings;
}

/** @returns by path: who answers a POST there */
export function orderRoutes({ controls, rolls, scales, access }: OrderRoutesParts): Record<string, RequestHandler[]> {
  const may = strangersRefused(access);
  const routes: Record<string, RequestHandler[]> = {};
  for (const order of orderKinds) {
    routes[`/slots/:slot/${order}`] = [
      may,
      (request, response) => {
        const slot = word(request, "slot");
        tell(response, controls[order](slot), 200, { slot, order } satisfies OrderTaken);
      },
    ];
  }
  for (const order of serviceOrderKinds) {
    routes[`/services/:service/${order}`] = [
      may,
      (request, response) => {
        const service = word(request, "service");
        tell(response, controls[order](service), 200, { service, order } satisfies ServiceOrderTaken);
      },
    ];
  }
  routes["/slots/:slot/weight"] = [
    may,
    ...withBody(
      weightOrderSchema,
      'send {"weight": 0}, up to 256, or null for what its label says',
      (request, response, { weight }) => {
        const slot = word(request, "slot");
        tell(response, controls.weigh(slot, weight ?? undefined), 200, { slot, weight } satisfies WeightTaken);
      },
    ),
  ];
  routes["/rolls/:service"] = [
    may,
    ...withBody(rollOrderSchema, ROLL_WANTED, async (request, response, { to }) => {
      const service = word(request, "service");
      tell(response, await rolls.order(service, to), 202, { service, to } satisfies RollTaken);
    }),
  ];
  routes["/scales/:service"] = [
    may,
    ...withBody(
      scaleOrderSchema,
      'send {"replicas": 8}, a whole number from 1 to 64',
      (request, response, { replicas }) => {
        const service = word(request, "service");
        tell(response, scales.order(service, replicas), 202, { service, replicas } satisfies ScaleTaken);
      },
    ),
  ];
  return routes;
}

function strangersRefused(access: AccessSettings): RequestHandler {
  return (request, response, next) => {
    const refusal = whyNoOrder(apiRequestOf(request, access));
    if (refusal === undefined) next();
    else response.status(403).json({ error: refusal } satisfies ApiError);
  };
}

/** @param wanted what is said to a body of another shape */
function withBody<Body>(
  schema: z.ZodType<Body>,
  wanted: string,
  act: (request: Request, response: Response, body: Body) => void | Promise<void>,
): RequestHandler[] {
  const obey: RequestHandler = async (request, response) => {
    const body = schema.safeParse(request.body);
    if (body.success) await act(request, response, body.data);
    else response.status(400).json({ error: wanted } satisfies ApiError);
  };
  return [express.json({ limit: BODY_BYTES_MAX }), obey];
}

function tell(response: Response, answer: OrderAnswer, status: 200 | 202, taken: object): void {
  if (answer.ok) response.status(status).json(taken);
  else response.status(answer.status).json({ error: answer.reason } satisfies ApiError);
}

const word = ({ params }: Request, name: string) => params[name] as string;
