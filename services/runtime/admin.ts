// What a member's admin port answers: /healthz (alive), /readyz (would take traffic), /metrics. User traffic never comes here, and
// this never touches user traffic. It is asked several times a second for all its life, so it is a plain listener: a web
// framework's answer costs three times as much, and an idle member does little else.

import type { RequestListener, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { briefly } from "./briefly.ts";

/** One process's metrics, or those of several as one. */
export type MemberMetrics = Pick<Registry, "metrics" | "contentType" | "getMetricsAsJSON">;

export interface AdminFacts {
  /** Would this member take a new request now? */
  readonly ready: () => boolean | Promise<boolean>;
  /** Why it would not, in one line, where that is known. */
  readonly whyNotReady?: () => string | undefined;
  readonly metrics: MemberMetrics;
}

export function adminListener({ ready, whyNotReady = () => undefined, metrics }: AdminFacts): RequestListener {
  const metricsText = briefly(() => metrics.metrics());
  return (request, response) => {
    const [path] = (request.url ?? "").split("?", 1);
    const read = request.method === "GET" || request.method === "HEAD";
    switch (read ? path : undefined) {
      case "/healthz":
        return answer(response, 200, "alive\n");
      case "/readyz":
        answerReady(response, whyNotReady() ?? ready());
        return;
      case "/metrics":
        metricsText().then(
          // Prometheus 3 refuses a scrape whose Content-Type it does not know.
          (text) => answer(response, 200, text, metrics.contentType),
          (error: Error) => answer(response, 500, `the metrics could not be read: ${error.message}\n`),
        );
        return;
      default:
        answer(response, 404, "this port answers GET of /healthz, /readyz and /metrics\n");
    }
  };
}

/** At once where that can be said at once. @param ready or why not */
function answerReady(response: ServerResponse, ready: string | boolean | Promise<boolean>): void {
  if (ready instanceof Promise) void ready.then((is) => answerReady(response, is));
  else if (typeof ready === "string") answer(response, 503, `not ready: ${ready}\n`);
  else if (ready) answer(response, 200, "ready\n");
  else answer(response, 503, "not ready\n");
}

function answer(response: ServerResponse, status: number, text: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "Content-Type": type, "Content-Length": Buffer.byteLength(text) }).end(text);
}
