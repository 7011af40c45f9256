// The express app on a member's admin port: /healthz (alive), /readyz (would take traffic), /metrics.
// User traffic never comes here, and this app never touches user traffic.

import express, { type Express } from "express";
import type { Registry } from "prom-client";

export interface AdminFacts {
  /** Would this member take a new request now? */
  readonly ready: () => boolean;
  readonly metrics: Registry;
}

export function adminApp({ ready, metrics }: AdminFacts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.get("/healthz", (_request, response) => {
    response.type("text").send("alive\n");
  });
  app.get("/readyz", (_request, response) => {
    if (ready()) response.type("text").send("ready\n");
    else response.status(503).type("text").send("not ready\n");
  });
  app.get("/metrics", async (_request, response) => {
    // Prometheus 3 refuses a scrape whose Content-Type it does not know.
    response.set("Content-Type", metrics.contentType).send(await metrics.metrics());
  });
  app.use((_request, response) => {
    response.status(404).type("text").send("this port answers /healthz, /readyz and /metrics\n");
  });
  return app;
}
