// The watchdog's own port: the status page (page/), the API, /healthz, /readyz, /metrics, Prometheus's service discovery, the registry.
// All of it is for those who ask for a name of the watchdog's. The API alone takes orders (json-api.ts); everything else here changes nothing.

import type { Server } from "node:http";
import express, { type Express, type RequestHandler } from "express";
import type { Registry } from "prom-client";
import { adminListener } from "../../services/runtime/admin.ts";
import { adminServer } from "../../services/runtime/admin-server.ts";
import { briefly } from "../../services/runtime/briefly.ts";
import { allMetrics, type ScrapedMember } from "../traffic/all-metrics.ts";

import { ownNamesAlone } from "./asker.ts";
import { type JsonApiOptions, jsonApi } from "./json-api.ts";
import { description } from "./v1/contract/description.ts";
import { v1Api } from "./v1/v1-api.ts";
import { type RoundState, targetLabels, targetsOf, WATCHDOG_LABELS } from "./view.ts";

export interface ApiOptions extends JsonApiOptions {
  readonly ready: () => boolean;
  readonly metrics: Registry;
  /** Answers what is asked of the status page, and passes on the rest. */
  readonly page: RequestHandler;
  /** `/registry`, for tiers. */
  readonly registry: RequestHandler;
}

/** Tiers that follow the registry keep a connection each. */
const CONNECTIONS_MAX = 1_024;

export function apiServer(options: ApiOptions): Server {
  return adminServer(api(options), CONNECTIONS_MAX);
}

export function api({ ready, metrics, page, registry, ...options }: ApiOptions): Express {
  const { state } = options;
  const whyNotReady = () => {
    const { failing } = state();
    return failing === undefined ? undefined : `its rounds fail: ${failing}`;
  };
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(ownNamesAlone(options));
  app.use(page);
  app.use("/api/v1", v1Api(options));
  app.use("/api", description(), jsonApi(options));
  app.get("/registry", registry);
  app.get("/sd/targets", (request, response) => {
    response.json(targetsOf(state().registry, request.get("Host")));
  });
  const all = briefly(async () => {
    return allMetrics(membersOf(state()), { labels: WATCHDOG_LABELS, text: await metrics.metrics() });
  });
  app.get("/metrics/all", async (_request, response) => {
    response.set("Content-Type", metrics.contentType).send(await all());
  });
  app.get(["/healthz", "/readyz", "/metrics"], adminListener({ ready, whyNotReady, metrics }));
  app.use((_request, response) => {
    response
      .status(404)
      .type("text")
      .send(
        "this port answers /, /incidents/42, /api/docs, /api/v1/state, /metrics, /metrics/all, /sd/targets, /registry, /healthz and /readyz\n",
      );
  });
  return app;
}

/** Where the watchdog reaches each. */
function membersOf({ registry, slotStates }: RoundState): ScrapedMember[] {
  const found = new Map(slotStates.map((slotState) => [slotState.slot.id, slotState.found]));
  return registry.members.flatMap((member) => {
    const { adminPort: port, id } = member;
    if (port === undefined) return [];
    return [{ labels: targetLabels(member), place: { host: found.get(id)?.probeHost ?? member.host, port } }];
  });
}
