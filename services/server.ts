// The workload: a small express app that processes a request and says who did it. Stands where a user's own image will.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import { Counter, type Registry } from "prom-client";
import { Drain } from "./runtime/drain.ts";
import { type Context, live } from "./runtime/lifecycle.ts";
import { processMetrics } from "./runtime/metrics.ts";
import { listenForTraffic } from "./runtime/ports.ts";

const WORK_MS_MAX = 60_000;
/** Longer than any pool in front of us keeps an idle connection, so that the pool is the side that closes (nodejs/node#20256). */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

export interface Workload {
  readonly id: string;
  /** Undefined: it does not know its own. */
  readonly group: string | undefined;
  readonly metrics: Registry;
}

export function serverApp({ id, group, metrics }: Workload): Express {
  const served = new Counter({
    name: "evenkeel_server_requests_total",
    help: "Requests this server has processed.",
    registers: [metrics],
  });
  let count = 0;

  async function answer(request: Request, response: Response): Promise<void> {
    const body = await digest(request);
    count += 1;
    served.inc();
    const client = request.query.client ?? request.get("X-Client-Id") ?? null;
    const facts = { server: id, group, client, path: request.path, served: count, time: new Date().toISOString() };
    response.json(body.bytes > 0 ? { ...facts, body } : facts);
  }

  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.all("/work", async (request, response) => {
    const ms = Number(request.query.ms ?? 0);
    if (!Number.isInteger(ms) || ms < 0 || ms > WORK_MS_MAX) {
      response.status(400).json({ error: `ms must be a whole number from 0 to ${WORK_MS_MAX}` });
      return;
    }
    await delay(ms);
    await answer(request, response);
  });
  app.use(answer);
  app.use(clientLeft);
  return app;
}

/** A client that leaves before it has its answer is no fault of ours: express would print a stack for each. */
function clientLeft(error: unknown, _request: Request, response: Response, next: NextFunction): void {
  if (!response.destroyed) next(error);
}

export async function startServer(context: Context): Promise<void> {
  const { ID: id, GROUP: group } = context.settings;
  const metrics = processMetrics();
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS }, serverApp({ id, group, metrics }));
  const traffic = { listen: () => listenForTraffic(server, context.settings), drain: new Drain(server) };
  await live({ traffic, metrics, routed: true, ready: () => true }, context);
}

/** Size in bytes and SHA-256 of a body, without keeping it. */
async function digest(request: Request): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest("hex") };
}
