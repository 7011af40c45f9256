// /api/v1 over HTTP: routes from the table of operations, access, bodies with a bound, idempotency keys, problem documents. What each
// operation does: handlers.ts.

import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  type Router,
} from "express";
import { monotonicMs, nowMs } from "../../../services/runtime/clock.ts";
import { whyNoLog } from "../access.ts";
import { type AccessSettings, apiRequestOf } from "../asker.ts";
import type { JsonApiOptions } from "../json-api.ts";
import { orderProblem } from "./access-problem.ts";
import type { OperationAnswer } from "./answer.ts";
import { documents } from "./contract/documents.ts";
import { type Operation, operationList } from "./contract/operations.ts";
import type { ApiProblem } from "./contract/problems.ts";
import { type Handler, handlersOf } from "./handlers.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { OrderBook } from "./order-book.ts";
import { OrderEvents } from "./order-events.ts";
import { refuse } from "./refuse.ts";

const BODY_BYTES_MAX = 1_024;

export function v1Api(options: JsonApiOptions): Router {
  const router = express.Router();
  const book = new OrderBook({ nowMs, run: nowMs().toString(36) });
  const events = new OrderEvents(book);
  const handlers = handlersOf(options, book);
  const keys = new IdempotencyKeys(monotonicMs);
  const allowed = new Map<string, string>();
  for (const [name, operation] of operationList()) {
    const path = operation.path.replace(/\{(\w+)\}/g, ":$1");
    allowed.set(path, operation.method === "get" ? "GET, HEAD" : "POST");
    if (name === "followOrder") router.get(path, followed(events));
    else if (operation.method === "get") router.get(path, read(handlers[name], options));
    else router.post(path, ...orderSteps(operation, handlers[name], { access: options, keys }));
  }
  for (const [path, allow] of allowed) router.all(path, notAllowed(allow));
  router.use((request, response) => {
    const detail = `there is no ${request.baseUrl}${request.path}: /api/docs lists what there is`;
    refuse(response, { problem: "no-such-path", detail });
  });
  router.use(onError);
  return router;
}

function read(handler: Handler, access: AccessSettings): RequestHandler {
  return async (request, response) => {
    const logWithheld = whyNoLog(apiRequestOf(request, access));
    send(response, await handler({ word: wordOf(request), query: request.query, body: undefined, logWithheld }));
  };
}

function followed(events: OrderEvents): RequestHandler {
  return (request, response) => {
    const problem = events.follow(wordOf(request)("order"), request, response);
    if (problem !== undefined) refuse(response, problem);
  };
}

interface OrderParts {
  readonly access: AccessSettings;
  readonly keys: IdempotencyKeys;
}

function orderSteps({ body: wanted }: Operation, handler: Handler, { access, keys }: OrderParts): RequestHandler[] {
  const may: RequestHandler = (request, response, next) => {
    const triesToken = access.token !== undefined && request.headers.authorization !== undefined;
    const problem = orderProblem({ ...apiRequestOf(request, access), triesToken });
    if (problem === undefined) next();
    else refuse(response, problem);
  };
  const obey: RequestHandler = async (request, response) => {
    const parsed = wanted === undefined ? undefined : documents[wanted].safeParse(request.body);
    if (parsed?.success === false) {
      const [issue] = parsed.error.issues;
      const detail = `${["the body", ...(issue?.path ?? [])].join(".")}: ${issue?.message ?? "it is faulty"}`;
      refuse(response, { problem: "invalid-value", detail });
      return;
    }
    const body = parsed?.data;
    const give = async () => handler({ word: wordOf(request), query: undefined, body, logWithheld: undefined });
    const key = request.get("Idempotency-Key");
    const order = JSON.stringify([request.path, body]);
    send(response, await (key === undefined ? give() : keys.once(key, order, give)));
  };
  return [may, express.json({ limit: BODY_BYTES_MAX }), obey];
}

function send(response: Response, outcome: OperationAnswer | ApiProblem): void {
  if ("problem" in outcome) {
    refuse(response, outcome);
    return;
  }
  if (outcome.location !== undefined) response.location(outcome.location);
  response.status(outcome.status).json(outcome.body);
}

function notAllowed(allow: string): RequestHandler {
  return ({ method }, response) => {
    response.set("Allow", allow);
    refuse(response, { problem: "method-not-allowed", detail: `${method} means nothing here: use ${allow}` });
  };
}

/** What express finds wrong with a path or a body. A fault of our own goes to the log, with its stack. */
const onError: ErrorRequestHandler = (error: { status?: number; message: string }, _request, response, next) => {
  const problem = { 400: "malformed-request", 413: "body-too-large", 415: "not-json" } as const;
  const name = problem[error.status as keyof typeof problem];
  if (name === undefined) next(error);
  else refuse(response, { problem: name, detail: error.message.split("\n", 1)[0] as string });
};

/** Express has a list only for a wildcard, and no path of ours has one. */
function wordOf({ params }: Request): (name: string) => string {
  return (name) => params[name] as string;
}
