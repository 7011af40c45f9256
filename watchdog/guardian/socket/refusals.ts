// A log line for each refused call, a few a minute in whole and the rest as their number: whoever makes such calls makes many.

import { nowMs } from "../../../services/runtime/clock.ts";
import type { Log } from "../../../services/runtime/log.ts";

const PERIOD_MS = 60_000;
const LINES_MAX = 20;
const TEXT_MAX = 200;

export interface RefusedCall {
  readonly method: string;
  readonly target: string;
  readonly reason: string;
}

export class Refusals {
  readonly #log: Log;
  #periodMs = Number.NEGATIVE_INFINITY;
  #said = 0;
  #unsaid = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  note({ method, target, reason }: RefusedCall): void {
    if (nowMs() - this.#periodMs > PERIOD_MS) {
      this.#periodMs = nowMs();
      this.#said = 0;
    }
    if (this.#said >= LINES_MAX) {
      this.#unsaid += 1;
      return;
    }
    this.#said += 1;
    const facts = { method: method.slice(0, TEXT_MAX), target: target.slice(0, TEXT_MAX), reason };
    this.#log("call-refused", { ...facts, ...(this.#unsaid > 0 && { unsaid: this.#unsaid }) });
    this.#unsaid = 0;
  }
}
