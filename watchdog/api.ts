// The watchdog's own port: the status page, its JSON, /healthz, /readyz, /metrics and Prometheus's service discovery.
// Read-only: nothing here changes a member.

import express, { type Express } from "express";
import type { Registry } from "prom-client";
import { adminApp } from "../services/admin.ts";
import { statusPage } from "./status-page.ts";
import { rowsOf, type State, targetsOf } from "./view.ts";

export interface ApiOptions {
  readonly ready: () => boolean;
  readonly state: () => State;
  readonly metrics: Registry;
}

export function api({ ready, state, metrics }: ApiOptions): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.get("/", (_request, response) => {
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.type("html").send(statusPage(rowsOf(state()), state().registry.version));
  });
  app.get("/api/state", (_request, response) => {
    const { version, writtenAt } = state().registry;
    response.json({ registry: { version, writtenAt }, slots: rowsOf(state()) });
  });
  app.get("/sd/targets", (_request, response) => {
    response.json(targetsOf(state().registry));
  });
  app.use(adminApp({ ready, metrics }));
  return app;
}
