// Pure. What the primary and its workers say to each other, over the channel that node:cluster gives them.

import type { Registry } from "prom-client";
import type { Drained } from "../runtime/drain.ts";

/** Every metric of a process with its values, as prom-client tells it. */
export type MetricValues = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

/** What a worker is asked; it answers with the same number. */
export type Question = "ready" | "metrics";

export type ToWorker =
  | { readonly kind: "ask"; readonly number: number; readonly question: Question }
  /** Connections that have had their answer are not used again. */
  | { readonly kind: "begin-drain" }
  | { readonly kind: "drain"; readonly deadlineMs: number };

export type ToPrimary =
  | { readonly kind: "listening"; readonly port: number }
  /** It gets its turn of the event loop. */
  | { readonly kind: "alive" }
  | { readonly kind: "answer"; readonly number: number; readonly answer: boolean | MetricValues }
  | ({ readonly kind: "drained" } & Drained);

/** Between two words that a worker is alive. */
export const ALIVE_MS = 250;
