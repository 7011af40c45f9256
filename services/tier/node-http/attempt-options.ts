// What an attempt over HTTP is given, beside the exchange, whichever client library makes it.

import type { Attempt } from "../forward/send.ts";
import type { ResponseHop } from "../rules/headers.ts";
import type { Line } from "./line.ts";

export interface AttemptOptions {
  readonly attempt: Attempt;
  readonly line: Line;
  readonly hop: ResponseHop;
  readonly connectTimeoutMs: number;
  /** Longest silence in the middle of a response. */
  readonly idleTimeoutMs: number;
}
