// The watchdog's own port: the status page, the API, /healthz, /readyz, /metrics and Prometheus's service discovery.
// The API alone takes orders (json-api.ts); everything else here changes nothing.

import express, { type Express } from "express";
import type { Registry } from "prom-client";
import { adminListener } from "../../services/runtime/admin.ts";
import { type JsonApiOptions, jsonApi } from "./json-api.ts";
import { statusPage } from "./status-page.ts";
import { targetsOf } from "./view.ts";

export interface ApiOptions extends JsonApiOptions {
  readonly ready: () => boolean;
  readonly metrics: Registry;
}

export function api({ ready, metrics, ...options }: ApiOptions): Express {
  const { state, incidents } = options;
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.get("/", (_request, response) => {
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.type("html").send(statusPage(state(), incidents.all));
  });
  app.use("/api", jsonApi(options));
  app.get("/sd/targets", (_request, response) => {
    response.json(targetsOf(state().registry));
  });
  app.get(["/healthz", "/readyz", "/metrics"], adminListener({ ready, metrics }));
  app.use((_request, response) => {
    response
      .status(404)
      .type("text")
      .send("this port answers /, /api/state, /metrics, /sd/targets, /healthz and /readyz\n");
  });
  return app;
}
