// What the status page hears from the watchdog, for a command line: its stream of server-sent events, with a bound on each, and what of
// them is shown, parsed. https://html.spec.whatwg.org/multipage/server-sent-events.html

import * as z from "zod";
import { incidentSummarySchema } from "../../incidents/incident.ts";

/** Two hundred members with all that is said of them are a tenth of it. */
const EVENT_CHARACTERS_MAX = 4 * 1024 * 1024;
/** The watchdog says its time more often. */
const SILENT_MS_MAX = 6_000;

const figuresSchema = z.object({
  perSecond: z.number(),
  inFlight: z.number(),
  errorShare: z.number().nullable(),
  p50Ms: z.number().nullable(),
  p99Ms: z.number().nullable(),
});

const severitySchema = z.enum(["good", "odd", "bad", "off"]);

/** By the name of the event. */
const partSchemas = {
  state: z.object({
    overview: z.object({
      word: z.enum(["serving", "degraded", "outage", "unknown"]),
      reason: z.string(),
      project: z.string(),
      registryVersion: z.number(),
    }),
    members: z.array(
      z.object({
        id: z.string(),
        status: z.string(),
        severity: severitySchema,
        reason: z.string(),
        sinceMs: z.number().nullable(),
        remarks: z.array(z.string()),
        address: z.string().nullable(),
        version: z.string().nullable(),
        weight: z.number().nullable(),
        restarts: z.number(),
        probe: z.string(),
      }),
    ),
  }),
  traffic: z.object({ total: figuresSchema.nullable(), members: z.record(z.string(), figuresSchema) }).nullable(),
  incidents: z.array(incidentSummarySchema),
  /** The watchdog's time, in milliseconds since 1970. */
  clock: z.number(),
} as const;

export type SeenState = Readonly<z.infer<typeof partSchemas.state>>;
export type SeenTraffic = Readonly<z.infer<typeof partSchemas.traffic>>;
export type SeenFigures = Readonly<z.infer<typeof figuresSchema>>;
type SeenIncidents = Readonly<z.infer<typeof partSchemas.incidents>>;

/** All that has come so far. */
export interface SeenPage {
  readonly state?: SeenState;
  readonly traffic?: SeenTraffic;
  readonly incidents?: SeenIncidents;
  readonly clock?: number;
}

/** What answers is no watchdog, or one of another version. */
export class ForeignPage extends Error {}

/** What is known after each event. Ends when the stream does. @throws ForeignPage, or what fetch throws */
export async function* pageEvents(
  url: URL,
  init: { headers: Record<string, string>; stop: AbortSignal },
): AsyncGenerator<SeenPage> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error("it has fallen silent")), SILENT_MS_MAX);
  const signal = AbortSignal.any([init.stop, silence.signal]);
  try {
    const { body, status, headers } = await fetch(url, { headers: init.headers, redirect: "manual", signal });
    if (body === null || !headers.get("Content-Type")?.startsWith("text/event-stream"))
      throw new ForeignPage(`with ${status}`);
    let [seen, text]: [SeenPage, string] = [{}, ""];
    for await (const piece of body.pipeThrough(new TextDecoderStream())) {
      timer.refresh();
      text += piece;
      if (text.length > EVENT_CHARACTERS_MAX) throw new ForeignPage("its events are too large");
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        seen = { ...seen, ...partIn(text.slice(0, end)) };
        text = text.slice(end + 2);
        yield seen;
      }
    }
  } finally {
    clearTimeout(timer);
    // The reader has seen enough.
    silence.abort();
  }
}

function partIn(block: string): SeenPage {
  const event = /^event: (\w+)$/m.exec(block)?.[1] ?? "";
  if (!Object.hasOwn(partSchemas, event)) return {};
  const { data, success } = partSchemas[event as keyof typeof partSchemas].safeParse(jsonIn(block));
  if (!success) throw new ForeignPage(`what it says of ${event} is of another version`);
  return { [event]: data };
}

function jsonIn(block: string): unknown {
  try {
    return JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? "");
  } catch {
    return undefined;
  }
}
