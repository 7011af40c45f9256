// One attempt to one member, by the way that can carry the request.

import type { Exchange } from "../downstream/exchange.ts";
import { attemptOverHttp } from "../node-http/attempt-http.ts";
import { attemptOverUndici } from "../node-http/attempt-undici.ts";
import type { Attempt, AttemptOptions } from "./attempt.ts";

/** Resolves when the attempt is over; never rejects. */
export async function forward(exchange: Exchange, options: AttemptOptions): Promise<Attempt> {
  const { line, mayRetry } = options;
  // undici refuses both: an Expect (undici#197), and a target that does not begin with a slash.
  const refused = exchange.awaitsContinue || exchange.to.path === "*";
  if (refused || line.needsHttp(exchange.body !== undefined)) return attemptOverHttp(exchange, options);
  const attempt = await attemptOverUndici(exchange, options);
  if (attempt.kind === "answered" || attempt.failure !== "unasked-continue") return attempt;
  line.continued();
  // The member is well; it is we who did not understand it.
  return mayRetry(attempt.failure) ? attemptOverHttp(exchange, options) : attempt;
}
