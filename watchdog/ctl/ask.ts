// Asks a running watchdog what a command wants to know, or gives it the order, and words its answer. Whatever goes wrong is
// one line that says what, and what to do.

import type { ApiAnswer, ApiClient } from "../api/client.ts";
import type { OrderKind, ServiceOrderKind, WeightTaken } from "../api/schema.ts";
import type { WatchdogQuery } from "./command.ts";
import { incidentsText, incidentText } from "./incident-text.ts";
import { statusText } from "./status-text.ts";

export type Told =
  /** For people, and as the watchdog sent it. */
  | { readonly ok: true; readonly text: string; readonly body: unknown }
  | { readonly ok: false; readonly reason: string };

const START_IT = "start it with docker compose up -d watchdog, or npm start, or say where it is with --url";

const NAMES_MAX = 20;

const ORDER_TEXTS: Readonly<Record<OrderKind, (slot: string) => string>> = {
  hold: (slot) => `${slot} is held: whatever becomes of it, the watchdog does nothing until "release ${slot}"`,
  release: (slot) => `${slot} is released: the watchdog looks after it again`,
  heal: (slot) => `${slot} is to be replaced: "status" and "incidents" show how it goes`,
};

const SERVICE_ORDER_TEXTS: Readonly<Record<ServiceOrderKind, (service: string) => string>> = {
  pause: (service) =>
    `${service} is paused: the watchdog neither heals nor rolls it until "resume ${service}"; requests go on`,
  resume: (service) => `${service} is resumed: the watchdog looks after it again, and a roll that stood still goes on`,
};

/** @param at where the watchdog is, as people read it. Never rejects. */
export async function ask(api: ApiClient, query: WatchdogQuery, at: string): Promise<Told> {
  switch (query.kind) {
    case "status":
      return told(await api.state(), statusText, at);
    case "incidents":
      return incidentsTold(api, query, at);
    case "incident":
      return told(await api.incident(query.number), incidentText, at);
    case "hold":
    case "release":
    case "heal":
      return told(await api.order(query.kind, query.slot), () => ORDER_TEXTS[query.kind](query.slot), at);
    case "pause":
    case "resume": {
      const { kind, service } = query;
      return told(await api.orderOfService(kind, service), () => SERVICE_ORDER_TEXTS[kind](service), at);
    }
    case "weight":
      return told(await api.weigh(query.slot, query.weight), weightText, at);
    default:
      return query satisfies never;
  }
}

/** Of a slot that there is not there are none either: a misspelt name shall be seen. */
async function incidentsTold(api: ApiClient, query: WatchdogQuery & { kind: "incidents" }, at: string): Promise<Told> {
  const { slot } = query;
  const answer = await api.incidents(query);
  if (slot !== undefined && answer.kind === "read" && answer.document.incidents.length === 0) {
    const state = await api.state();
    const slots = state.kind === "read" ? state.document.slots.map((row) => row.slot) : [];
    if (slots.length > 0 && !slots.includes(slot)) {
      const more = slots.length > NAMES_MAX ? ` and ${slots.length - NAMES_MAX} more` : "";
      const text = `no incidents, and no slot ${slot}: there are ${slots.slice(0, NAMES_MAX).join(", ")}${more}`;
      return told(answer, () => text, at);
    }
  }
  return told(answer, incidentsText, at);
}

export function unreachable(at: string, reason: string): string {
  return `cannot reach the watchdog at ${at} (${reason}): ${START_IT}`;
}

export function foreign(at: string, how: string): string {
  return `what answers at ${at} (${how}) is no watchdog of this version: say where it is with --url`;
}

function weightText({ slot, weight }: WeightTaken): string {
  if (weight === null) return `${slot} has the weight of its label again`;
  const share = weight === 0 ? "no requests while others of its pool serve" : `a share of ${weight} beside the others'`;
  return `${slot} gets ${share}, until "weight ${slot} default"`;
}

function told<Document>(answer: ApiAnswer<Document>, textOf: (document: Document) => string, at: string): Told {
  if (answer.kind === "read") return { ok: true, text: textOf(answer.document), body: answer.body };
  return { ok: false, reason: reasonOf(answer, at) };
}

/** Why there is no answer to what was asked. */
export function reasonOf(answer: Exclude<ApiAnswer<unknown>, { kind: "read" }>, at: string): string {
  switch (answer.kind) {
    case "refused":
      return answer.reason;
    case "unreachable":
      return unreachable(at, answer.reason);
    case "foreign":
      return foreign(at, `with ${answer.status}`);
    default:
      return answer satisfies never;
  }
}
