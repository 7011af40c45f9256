// The status page on the watchdog's port: the page itself, drawn whole for whoever has no script; its files; its stream of events; and a
// page for each incident. It changes nothing: orders go to the API.

import express, { type Request, type RequestHandler, type Response, type Router } from "express";
import { briefly } from "../../services/runtime/briefly.ts";
import { nowMs } from "../../services/runtime/clock.ts";
import { whyNoLog } from "../api/access.ts";
import { type AccessSettings, apiRequestOf } from "../api/asker.ts";
import type { KeptIncidents } from "../api/json-api.ts";
import type { Rolls, Scales } from "../api/order-routes.ts";
import type { RoundState } from "../api/view.ts";
import type { TrafficShown } from "../traffic/figures.ts";
import type { PageParts } from "./document/document.ts";
import { probesShown } from "./document/probes-shown.ts";
import { type SystemFacts, stateShown } from "./document/state-shown.ts";
import { Feed } from "./feed.ts";
import { pageFiles } from "./page-files.ts";
import { titleOf } from "./view/header-view.ts";
import { incidentPageView } from "./view/incident-page-view.ts";
import { pageView } from "./view/page-view.ts";
import { h, type PageNode, toHtml } from "./view/tree.ts";

export interface PageParting extends AccessSettings {
  readonly state: () => RoundState;
  readonly incidents: KeptIncidents;
  readonly rolls: Pick<Rolls, "rows">;
  readonly scales: Pick<Scales, "rows">;
  /** What is known of the traffic; to ask is to want more of it. */
  readonly traffic: () => TrafficShown | undefined;
  readonly facts: SystemFacts;
  readonly probeIntervalMs: number;
}

const INCIDENTS_SHOWN = 20;
/** Nothing from elsewhere, nothing that stands in the page as text, no frame around it. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function statusPage(parts: PageParting): Router {
  const router = express.Router();
  const files = pageFiles();
  const shown = partsOf(parts);
  const feed = new Feed(shown);
  const frame = files.get("index.html")?.text ?? "";
  const page = briefly(() => {
    const viewed = {
      ...shown(),
      nowMs: nowMs(),
      link: { kind: "none" },
      orders: "off",
      notice: null,
      narrow: false,
    } as const;
    return framed(frame, titleOf(viewed), pageView(viewed));
  });
  router.get(
    "/",
    secured,
    (_request, response) => void response.type("html").set("Cache-Control", "no-store").send(page()),
  );
  router.get("/page/events", secured, (request, response) => {
    const lastEventId = request.get("Last-Event-ID");
    if (!feed.open(response, lastEventId))
      response.status(503).type("text").send("too many pages are open: close one\n");
  });
  for (const [name, { type, text }] of files)
    if (name !== "index.html")
      router.get(
        `/page/${name}`,
        secured,
        (_request, response) => void response.type(type).set("Cache-Control", "no-cache").send(text),
      );
  router.get("/incidents/:number", secured, (request, response) => incidentPage(parts, frame, request, response));
  return router;
}

const secured: RequestHandler<{ number: string }> = (_request, response, next) => {
  response.set({
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
  });
  next();
};

function partsOf({ state, incidents, rolls, scales, traffic, facts, probeIntervalMs }: PageParting): () => PageParts {
  let last: { readonly round: RoundState; readonly shown: Pick<PageParts, "state" | "probes"> } | undefined;
  return () => {
    const round = state();
    // A round is looked at several times, and made into what is shown once.
    if (last === undefined || !isSame(round, last.round))
      last = {
        round,
        shown: {
          state: stateShown(round, facts, { rolls: rolls.rows(), scales: scales.rows() }),
          probes: probesShown(round.slotStates, probeIntervalMs),
        },
      };
    return {
      ...last.shown,
      incidents: incidents.all.slice(0, INCIDENTS_SHOWN),
      traffic: traffic() ?? null,
    };
  };
}

function isSame(one: RoundState, other: RoundState): boolean {
  const { slotStates, registry, failing } = one;
  return slotStates === other.slotStates && registry === other.registry && failing === other.failing;
}

async function incidentPage(
  { incidents, ...access }: PageParting,
  frame: string,
  request: Request<{ number: string }>,
  response: Response,
): Promise<void> {
  const { number } = request.params;
  const incident = /^\d{1,15}$/.test(number) ? await incidents.get(Number(number)) : undefined;
  response.type("html").set("Cache-Control", "no-store");
  if (incident === undefined) {
    const none = h(
      "main",
      { id: "main" },
      h("h1", {}, `There is no incident ${number}`),
      h("p", {}, "It is no longer kept, or never was. ", h("a", { href: "/" }, "To the status page")),
    );
    response.status(404).send(framed(frame, "No such incident", [none]));
    return;
  }
  const logWithheld = whyNoLog(apiRequestOf(request as unknown as Request, access));
  const document = logWithheld === undefined ? incident : { ...incident, log: [], logWithheld };
  response.send(framed(frame, `Incident ${number}: ${incident.slot}, Evenkeel`, incidentPageView(document, nowMs())));
}

/** What is put in is put in by functions: text of a container's may hold `$&`. */
function framed(frame: string, title: string, nodes: readonly PageNode[]): string {
  return frame
    .replace("<!-- title -->", () => toHtml(title))
    .replace("<!-- page -->", () => nodes.map(toHtml).join(""));
}
