// Pure. What the webhook is sent, what its answers mean, and when a delivery that failed is tried again.

import { type Backoff, backoffMs } from "../../services/runtime/backoff.ts";
import type { IncidentSummary } from "../incidents/incident.ts";
import { summaryOf } from "../incidents/record.ts";
import type { Notice } from "../incidents/recorder.ts";

/** The JSON that is posted: the notice with its time and project, and of the incident all but the log. */
export interface NoticeBody extends Omit<Notice, "incident"> {
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly project?: string;
  readonly incident?: IncidentSummary;
}

export function bodyOf({ incident, ...notice }: Notice, at: Date, project: string | undefined): NoticeBody {
  return {
    ...notice,
    at: at.toISOString(),
    ...(project === undefined ? {} : { project }),
    ...(incident === undefined ? {} : { incident: summaryOf(incident) }),
  };
}

/** What became of an attempt to deliver. */
export type DeliveryOutcome = "delivered" | "refused" | "failed";

/** Refused: the same request would be answered so again; so would a redirect, which would turn our POST into a GET. */
export function outcomeOf(status: number): DeliveryOutcome {
  if (status >= 200 && status < 300) return "delivered";
  return status >= 500 || status === 408 || status === 429 ? "failed" : "refused";
}

const BACKOFF: Backoff = { firstMs: 500, maxMs: 30_000 };
const TRIES_MAX = 20;
const AGE_MS_MAX = 600_000;

export interface FailedDelivery {
  /** The webhook's failures in a row, those with notices before this one too. */
  readonly failures: number;
  /** How often this notice was tried. */
  readonly tries: number;
  /** Since this notice was given. */
  readonly ageMs: number;
  /** From [0, 1): the jitter. */
  readonly random: number;
}

/** How long to leave the webhook alone, and whether this notice is then tried again, or the next one is. */
export function afterFailure({ failures, tries, ageMs, random }: FailedDelivery): { delayMs: number; again: boolean } {
  return { delayMs: Math.floor(backoffMs(BACKOFF, failures, random)), again: tries < TRIES_MAX && ageMs < AGE_MS_MAX };
}
