// The watchdog's own port: the status page, the API, /healthz, /readyz, /metrics and Prometheus's service discovery.
// All of it is for those who ask for a name of the watchdog's. The API alone takes orders (json-api.ts); everything else here changes nothing.

import express, { type Express } from "express";
import type { Registry } from "prom-client";
import { adminListener } from "../../services/runtime/admin.ts";
import { briefly } from "../../services/runtime/briefly.ts";
import { ownNamesAlone } from "./asker.ts";
import { type JsonApiOptions, jsonApi } from "./json-api.ts";
import { statusPage } from "./status-page.ts";
import { targetsOf } from "./view.ts";

export interface ApiOptions extends JsonApiOptions {
  readonly ready: () => boolean;
  readonly metrics: Registry;
}

export function api({ ready, metrics, ...options }: ApiOptions): Express {
  const { state, incidents } = options;
  const page = briefly(() => statusPage(state(), incidents.all));
  const whyNotReady = () => {
    const { failing } = state();
    return failing === undefined ? undefined : `its rounds fail: ${failing}`;
  };
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(ownNamesAlone(options));
  app.get("/", (_request, response) => {
    response.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.type("html").send(page());
  });
  app.use("/api", jsonApi(options));
  app.get("/sd/targets", (_request, response) => {
    response.json(targetsOf(state().registry));
  });
  app.get(["/healthz", "/readyz", "/metrics"], adminListener({ ready, whyNotReady, metrics }));
  app.use((_request, response) => {
    response
      .status(404)
      .type("text")
      .send("this port answers /, /api/state, /metrics, /sd/targets, /healthz and /readyz\n");
  });
  return app;
}
