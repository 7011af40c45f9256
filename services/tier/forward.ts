// One attempt to one member, by the way that can carry the request.

import type { Attempt, AttemptOptions } from "./attempt.ts";
import { attemptOverHttp } from "./attempt-http.ts";
import { attemptOverUndici } from "./attempt-undici.ts";
import type { Exchange } from "./exchange.ts";

/** Resolves when the attempt is over; never rejects. */
export function forward(exchange: Exchange, options: AttemptOptions): Promise<Attempt> {
  // undici refuses both: an Expect (undici#197), and a target that does not begin with a slash.
  const needsHttp = exchange.awaitsContinue || exchange.to.path === "*";
  return needsHttp ? attemptOverHttp(exchange, options) : attemptOverUndici(exchange, options);
}
