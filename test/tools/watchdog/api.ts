// The watchdog's API with incidents made by hand and a memory of the orders it passed on: for supertest, or on a real port.

import { type ApiOptions, api, apiServer } from "../../../watchdog/api/api.ts";
import type { KeptIncidents } from "../../../watchdog/api/json-api.ts";
import type { OrderAnswer } from "../../../watchdog/api/order-routes.ts";
import type { Incident } from "../../../watchdog/incidents/incident.ts";
import { summaryOf } from "../../../watchdog/incidents/record.ts";
import { watchdogMetrics } from "../../../watchdog/metrics.ts";
import type { SystemFacts } from "../../../watchdog/page/document/state-shown.ts";
import { type PageParting, statusPage } from "../../../watchdog/page/page.ts";
import { listening } from "../ports.ts";
import type { Scope } from "../scope.ts";
import { serving } from "./slot-states.ts";
import { member, state } from "./state.ts";

export const DETECTED_MS = Date.parse("2026-11-24T18:30:05.123Z");

/** A server that was killed and was back in traffic 512 ms later. */
export function incident(number: number, changes: Partial<Incident> = {}): Incident {
  return {
    number,
    slot: "server-4",
    role: "server",
    cause: "it was killed by SIGKILL",
    exit: { code: 137, signal: "SIGKILL", oom: false },
    replaced: "server-4#1",
    successor: "server-4#2",
    times: {
      detectedMs: DETECTED_MS,
      decidedMs: DETECTED_MS + 3,
      createdMs: DETECTED_MS + 43,
      startedMs: DETECTED_MS + 180,
      readyMs: DETECTED_MS + 505,
      inTrafficMs: DETECTED_MS + 512,
    },
    outcome: "healed",
    changes: ["port: 9004 > 9005"],
    log: ['{"event":"listening"}', "its last words"],
    ...changes,
  };
}

export function incidentsView(...all: readonly Incident[]): KeptIncidents {
  const newestFirst = all.map(summaryOf).sort((one, other) => other.number - one.number);
  return { all: newestFirst, get: async (number: number) => all.find((incident) => incident.number === number) };
}

/** Answers every order the same way. */
export function recordedControls(answer: OrderAnswer = { ok: true }) {
  const orders: string[] = [];
  const take = (order: string) => (slot: string) => {
    orders.push(`${order} ${slot}`);
    return answer;
  };
  const weigh = (slot: string, weight: number | undefined) => take(`weigh ${weight}`)(slot);
  const ofSlots = { hold: take("hold"), release: take("release"), heal: take("heal"), weigh };
  return { orders, controls: { ...ofSlots, pause: take("pause"), resume: take("resume") } };
}

interface AppChanges extends Partial<ApiOptions> {
  readonly traffic?: PageParting["traffic"];
}

/** The app of a watchdog with one server and nothing to tell but for what is changed. */
export function apiApp(changes: AppChanges = {}) {
  return api(optionsWith(changes));
}

const noRegistry: ApiOptions["registry"] = (_request, response) => void response.status(204).end();

function optionsWith({ traffic = () => undefined, ...changes }: AppChanges): ApiOptions {
  const options = {
    ready: () => true,
    state: () => state([member("server-4")], [serving("server-4")]),
    metrics: watchdogMetrics().registry,
    registry: noRegistry,
    controls: recordedControls().controls,
    incidents: incidentsView(),
    rolls: { order: async () => ({ ok: true }) as const, rows: () => [] },
    scales: { order: () => ({ ok: true }) as const, rows: () => [] },
    token: undefined,
    ownName: "watchdog",
    ...changes,
  };
  const page = statusPage({ ...options, traffic, facts: systemFacts(), probeIntervalMs: 1_000 });
  return { page, ...options };
}

export function systemFacts(changes: Partial<SystemFacts> = {}): SystemFacts {
  const known = {
    engine: "docker",
    project: "shop",
    version: "0.1.0",
    watchdogSinceMs: 0,
    takesOrders: false,
  } as const;
  return { ...known, ...changes };
}

/** The same on a port of its own until the scope is over; returns the port. */
export function startApi(scope: Scope, changes: Partial<ApiOptions> = {}, host?: string): Promise<number> {
  return listening(scope, apiServer(optionsWith(changes)), 0, host);
}
