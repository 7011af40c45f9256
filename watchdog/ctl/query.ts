// Asks a running watchdog over its API. Whatever goes wrong is one line that says what, and what to do.

import { z } from "zod";
import type { Query } from "./command.ts";

const TIMEOUT_MS = 10_000;

export type Reply = { readonly ok: true; readonly body: unknown } | { readonly ok: false; readonly reason: string };

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** What we read of an answer: another program may be listening there, or a watchdog of another version. */
  readonly shape: z.ZodType;
}

const summary = z.looseObject({
  number: z.int(),
  slot: z.string(),
  outcome: z.string(),
  cause: z.string(),
  times: z.looseObject({ detectedMs: z.number() }),
});
const row = z.looseObject({
  slot: z.string(),
  role: z.string(),
  group: z.string().nullable(),
  state: z.string(),
  address: z.string().nullable(),
  life: z.string(),
  generation: z.int().nullable(),
  held: z.boolean(),
  missed: z.int(),
  restarts: z.looseObject({ kind: z.string() }),
  step: z.string().nullable(),
});
const shapes = {
  state: z.looseObject({ registry: z.looseObject({ version: z.int() }), slots: z.array(row) }),
  incidents: z.looseObject({ incidents: z.array(summary) }),
  incident: summary.extend({ changes: z.array(z.string()), log: z.array(z.string()) }),
  order: z.looseObject({ slot: z.string(), order: z.string() }),
};

/** @param token sent when it is set, for orders from another host. Never rejects. */
export async function query(watchdog: URL, what: Query, token: string | undefined): Promise<Reply> {
  const { method, path, shape } = callOf(what);
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  try {
    const response = await fetch(new URL(path, watchdog), { method, headers, redirect: "manual", signal });
    return readReply(response.status, await response.text(), { shape, at: watchdog.origin });
  } catch (error) {
    return { ok: false, reason: `cannot reach the watchdog at ${watchdog.origin} (${causeOf(error)}): ${START_IT}` };
  }
}

const START_IT = "start it with docker compose up -d watchdog, or npm start, or say where it is with --url";

function callOf(what: Query): Call {
  switch (what.kind) {
    case "status":
      return { method: "GET", path: "/api/state", shape: shapes.state };
    case "incidents": {
      const filter = what.slot === undefined ? "" : `&slot=${encodeURIComponent(what.slot)}`;
      return { method: "GET", path: `/api/incidents?limit=${what.limit}${filter}`, shape: shapes.incidents };
    }
    case "incident":
      return { method: "GET", path: `/api/incidents/${what.number}`, shape: shapes.incident };
    default:
      return { method: "POST", path: `/api/slots/${encodeURIComponent(what.slot)}/${what.kind}`, shape: shapes.order };
  }
}

function readReply(status: number, text: string, { shape, at }: { shape: z.ZodType; at: string }): Reply {
  const body = jsonIn(text);
  if (status === 200 && shape.safeParse(body).success) return { ok: true, body };
  const refusal = z.object({ error: z.string() }).safeParse(body);
  if (refusal.success) return { ok: false, reason: refusal.data.error };
  return {
    ok: false,
    reason: `what answers at ${at} (with ${status}) is no watchdog of this version: say where it is with --url`,
  };
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function causeOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? message;
}
