// Pure. An incident as a file holds it: its text, within bounds, and what can be read again.

import { z } from "zod";
import { roles } from "../../services/runtime/roles.ts";
import type { Incident } from "./incident.ts";

const LOG_LINES_MAX = 200;
const LINE_BYTES_MAX = 4_096;

/** An incident without what makes it large. */
export type Summary = Omit<Incident, "log">;

const ms = z.number();
const incidentSchema = z.object({
  number: z.int().positive(),
  slot: z.string().min(1),
  role: z.enum(roles),
  cause: z.string(),
  exit: z.exactOptional(
    z.object({ code: z.exactOptional(z.int()), signal: z.exactOptional(z.string()), oom: z.boolean() }),
  ),
  replaced: z.exactOptional(z.string()),
  successor: z.exactOptional(z.string()),
  times: z.object({
    detectedMs: ms,
    decidedMs: ms,
    createdMs: z.exactOptional(ms),
    startedMs: z.exactOptional(ms),
    readyMs: z.exactOptional(ms),
    inTrafficMs: z.exactOptional(ms),
    failedMs: z.exactOptional(ms),
  }),
  outcome: z.enum(["under-way", "healed", "failed"]),
  failure: z.exactOptional(z.string()),
  changes: z.array(z.string()),
  log: z.array(z.string()).max(LOG_LINES_MAX),
}) satisfies z.ZodType<Incident>;

export type ReadIncident =
  | { readonly ok: true; readonly incident: Incident }
  | { readonly ok: false; readonly reason: string };

/** A reason names the first thing wrong, in one line. */
export function parseIncident(text: string): ReadIncident {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { ok: false, reason: "it is not JSON" };
  }
  const parsed = incidentSchema.safeParse(document);
  if (parsed.success) return { ok: true, incident: parsed.data };
  const issue = parsed.error.issues[0];
  return { ok: false, reason: `${issue?.path.join(".") || "the document"}: ${issue?.message}` };
}

export function summaryOf(incident: Incident): Summary {
  const { log: _, ...summary } = incident;
  return summary;
}

/** The last lines of its log alone, and of a long line the beginning: a member may write anything. */
export function bounded(incident: Incident): Incident {
  return { ...incident, log: incident.log.slice(-LOG_LINES_MAX).map(shortened) };
}

function shortened(line: string): string {
  // encodeInto never writes half of a character, and says how much of the line it took.
  const { read } = new TextEncoder().encodeInto(line, new Uint8Array(LINE_BYTES_MAX));
  return line.slice(0, read);
}
