// Pure. An incident: one heal of one slot from its detection to traffic, with its times, its cause and what it changed. The
// schema holds for its file and for the API alike.

import * as z from "zod";
import { slotRoles } from "../../services/runtime/roles.ts";

/** Of a log, the last lines are kept. */
export const LOG_LINES_MAX = 200;

const milliseconds = z.number();

/** Milliseconds since 1970, in the order in which they come; absent: not reached. */
const timesSchema = z.object({
  /** The first sign of a failure: a death, or the first probe that went unanswered. */
  detectedMs: milliseconds,
  decidedMs: milliseconds,
  createdMs: z.exactOptional(milliseconds),
  startedMs: z.exactOptional(milliseconds),
  /** It passed its first probe. */
  readyMs: z.exactOptional(milliseconds),
  /** The registry that says it serves was published. */
  inTrafficMs: z.exactOptional(milliseconds),
  failedMs: z.exactOptional(milliseconds),
});

const exitSchema = z.object({
  code: z.exactOptional(z.int()),
  signal: z.exactOptional(z.string()),
  oom: z.boolean(),
});

export const incidentSchema = z.object({
  /** Grows by one with each; never used twice. */
  number: z.int().positive(),
  slot: z.string().min(1),
  role: z.enum(slotRoles),
  /** Why the member was replaced, in the plan's words. */
  cause: z.string(),
  /** How the member before had ended; absent when it still ran, or nothing filled the slot. */
  exit: z.exactOptional(exitSchema),
  /** The engine's ids of the member before and of its successor. */
  replaced: z.exactOptional(z.string()),
  successor: z.exactOptional(z.string()),
  times: timesSchema,
  outcome: z.enum(["under-way", "healed", "failed"]),
  /** Why it failed, in words. */
  failure: z.exactOptional(z.string()),
  /** What is not as it was, such as "port: 9004 > 9005". */
  changes: z.array(z.string()).readonly(),
  /** The last lines that the member before had written, oldest first. */
  log: z.array(z.string()).max(LOG_LINES_MAX).readonly(),
});

/** An incident without what makes it large. */
export const incidentSummarySchema = incidentSchema.omit({ log: true });

export type Incident = Readonly<z.infer<typeof incidentSchema>>;
export type IncidentSummary = Readonly<z.infer<typeof incidentSummarySchema>>;
export type IncidentTimes = Readonly<z.infer<typeof timesSchema>>;
export type MemberExit = Readonly<z.infer<typeof exitSchema>>;
