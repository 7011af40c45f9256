// Asks a running watchdog over its API, and gives it orders. Every answer is parsed with the server's own schemas; what went
// wrong is a value, because each command line has its own advice for it. Decides nothing and prints nothing.

import type * as z from "zod";
import { fetchText } from "../../services/command-line/fetch-text.ts";
import { localUrl } from "../../services/runtime/address.ts";
import type { Settings } from "../../services/runtime/config.ts";
import { trafficPorts } from "../../services/runtime/ports.ts";
import {
  apiErrorSchema,
  type IncidentDocument,
  type IncidentList,
  incidentDocumentSchema,
  incidentListSchema,
  type OrderKind,
  type OrderTaken,
  orderTakenSchema,
  type RollList,
  type RollTaken,
  rollListSchema,
  rollTakenSchema,
  type ScaleList,
  type ScaleTaken,
  type ServiceOrderKind,
  type ServiceOrderTaken,
  type StateDocument,
  scaleListSchema,
  scaleTakenSchema,
  serviceOrderTakenSchema,
  stateSchema,
  type WeightTaken,
  weightTakenSchema,
} from "./schema.ts";

export type ApiAnswer<Document> =
  /** `body`: as it came, with whatever a newer watchdog adds. */
  | { readonly kind: "read"; readonly document: Document; readonly body: unknown }
  /** The watchdog says why not, in one line. */
  | { readonly kind: "refused"; readonly status: number; readonly reason: string }
  /** Another program listens there, or a watchdog of another version. */
  | { readonly kind: "foreign"; readonly status: number }
  | { readonly kind: "unreachable"; readonly reason: string };

export interface ApiClientOptions {
  readonly watchdog: URL;
  /** For each request. */
  readonly timeoutMs: number;
  /** Sent when it is set, for orders from another host. */
  readonly token?: string | undefined;
}

export interface IncidentFilter {
  readonly limit: number;
  /** Undefined: of all slots. */
  readonly slot?: string | undefined;
}

interface Call<Document> {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly schema: z.ZodType<Document>;
  readonly body?: object;
}

/** Where the watchdog with these settings is reached from its own host. */
export function watchdogUrl(settings: Settings): URL {
  const [port] = trafficPorts(settings).candidates;
  return localUrl(settings.HOST, port as number);
}

/** Its calls never reject. */
export class ApiClient {
  readonly #options: ApiClientOptions;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  state(): Promise<ApiAnswer<StateDocument>> {
    return this.#call({ method: "GET", path: "/api/state", schema: stateSchema });
  }

  incidents({ limit, slot }: IncidentFilter): Promise<ApiAnswer<IncidentList>> {
    const filter = slot === undefined ? "" : `&slot=${encodeURIComponent(slot)}`;
    return this.#call({ method: "GET", path: `/api/incidents?limit=${limit}${filter}`, schema: incidentListSchema });
  }

  incident(number: number): Promise<ApiAnswer<IncidentDocument>> {
    return this.#call({ method: "GET", path: `/api/incidents/${number}`, schema: incidentDocumentSchema });
  }

  order(kind: OrderKind, slot: string): Promise<ApiAnswer<OrderTaken>> {
    const path = `/api/slots/${encodeURIComponent(slot)}/${kind}`;
    return this.#call({ method: "POST", path, schema: orderTakenSchema });
  }

  orderOfService(kind: ServiceOrderKind, service: string): Promise<ApiAnswer<ServiceOrderTaken>> {
    const path = `/api/services/${encodeURIComponent(service)}/${kind}`;
    return this.#call({ method: "POST", path, schema: serviceOrderTakenSchema });
  }

  /** @param weight null: what its label says */
  weigh(slot: string, weight: number | null): Promise<ApiAnswer<WeightTaken>> {
    const path = `/api/slots/${encodeURIComponent(slot)}/weight`;
    return this.#call({ method: "POST", path, schema: weightTakenSchema, body: { weight } });
  }

  roll(service: string, to: RollTaken["to"]): Promise<ApiAnswer<RollTaken>> {
    const path = `/api/rolls/${encodeURIComponent(service)}`;
    return this.#call({ method: "POST", path, schema: rollTakenSchema, body: { to } });
  }

  rolls(): Promise<ApiAnswer<RollList>> {
    return this.#call({ method: "GET", path: "/api/rolls", schema: rollListSchema });
  }

  scale(service: string, replicas: number): Promise<ApiAnswer<ScaleTaken>> {
    const path = `/api/scales/${encodeURIComponent(service)}`;
    return this.#call({ method: "POST", path, schema: scaleTakenSchema, body: { replicas } });
  }

  scales(): Promise<ApiAnswer<ScaleList>> {
    return this.#call({ method: "GET", path: "/api/scales", schema: scaleListSchema });
  }

  async #call<Document>({ method, path, schema, body: given }: Call<Document>): Promise<ApiAnswer<Document>> {
    const { watchdog, timeoutMs, token } = this.#options;
    const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
    const body = given && { body: JSON.stringify(given) };
    const options = { method, headers, redirect: "manual", timeoutMs, ...body } as const;
    const reply = await fetchText(new URL(path, watchdog), options);
    if (reply.kind === "silent") return { kind: "unreachable", reason: reply.reason };
    return answerOf(reply, schema);
  }
}

function answerOf<Document>(
  { status, body: text }: { readonly status: number; readonly body: string },
  schema: z.ZodType<Document>,
): ApiAnswer<Document> {
  const body = jsonIn(text);
  const document = schema.safeParse(body);
  if ((status === 200 || status === 202) && document.success) return { kind: "read", document: document.data, body };
  const refusal = apiErrorSchema.safeParse(body);
  return refusal.success ? { kind: "refused", status, reason: refusal.data.error } : { kind: "foreign", status };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
