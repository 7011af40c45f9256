// Pure. An incident as a file holds it: its text, within bounds, and what can be read again.

import { type Incident, type IncidentSummary, incidentSchema, LOG_LINES_MAX } from "./incident.ts";

const LINE_BYTES_MAX = 4_096;

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

export function summaryOf(incident: Incident): IncidentSummary {
  const { log: _, ...summary } = incident;
  return summary;
}

/** Keeps the last lines of its log alone, and of a long line the beginning: a member may write anything. */
export function bounded(incident: Incident): Incident {
  return { ...incident, log: incident.log.slice(-LOG_LINES_MAX).map(shortened) };
}

function shortened(line: string): string {
  // encodeInto never writes half of a character, and says how much of the line it took.
  const { read } = new TextEncoder().encodeInto(line, new Uint8Array(LINE_BYTES_MAX));
  return line.slice(0, read);
}
