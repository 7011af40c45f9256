// The load of chaos: GETs at a steady rate whatever becomes of those before, over a bounded number of keep-alive connections.
// Every request is counted with its outcome; its latency counts from when it was due, so that a wait for a connection is in
// it too (Gil Tene's coordinated omission).

import { createHistogram } from "node:perf_hooks";
import { Pool } from "undici";
import { Pace } from "../../../services/command-line/pace.ts";

const TICK_MS = 5;
const CONNECTIONS_MAX = 512;
/** Past it a request is counted as failed without being sent: somebody has stopped answering. */
const UNDER_WAY_MAX = 10_000;
const ANSWER_MS_MAX = 30_000;
/** Outcomes that are counted each for itself, and failures that are kept in full. */
const OUTCOMES_MAX = 50;
const FAILURES_KEPT = 20;

export interface FailedRequest {
  /** When it was over; ISO 8601. */
  readonly at: string;
  readonly waitedMs: number;
  readonly outcome: string;
  /** The id under which the tiers' logs have it. */
  readonly requestId: string;
}

/** What became of all requests. Latencies are of those that were answered. */
export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  /** How often each way to fail came: a status with X-LB-Error, or an error's code. */
  readonly failures: Readonly<Record<string, number>>;
  /** The first few. */
  readonly examples: readonly FailedRequest[];
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

type Outcome = { readonly ok: true } | { readonly ok: false; readonly outcome: string };

export class Load {
  readonly #url: URL;
  readonly #rate: number;
  readonly #pool: Pool;
  readonly #micros = createHistogram();
  readonly #failures = new Map<string, number>();
  readonly #examples: FailedRequest[] = [];
  #begun = 0;
  #underWay = 0;
  #failed = 0;
  #lastFailureMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onIdle: () => void = () => {};

  /** @param rate requests a second */
  constructor(url: URL, rate: number) {
    this.#url = url;
    this.#rate = rate;
    const limits = { headersTimeout: ANSWER_MS_MAX, bodyTimeout: ANSWER_MS_MAX };
    this.#pool = new Pool(url.origin, { connections: CONNECTIONS_MAX, ...limits });
  }

  start(): void {
    const pace = new Pace({ perSecond: this.#rate, startMs: performance.now() });
    this.#timer = setInterval(() => this.#send(pace.takeDue(performance.now())), TICK_MS);
  }

  /** When the latest failure came, on performance's clock; undefined: none has. */
  get lastFailureMs(): number | undefined {
    return this.#lastFailureMs;
  }

  /** Begins no more requests and waits for those under way, ANSWER_MS_MAX at most. */
  async finish(): Promise<LoadResult> {
    clearInterval(this.#timer);
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    if (this.#underWay > 0) await idle;
    await this.#pool.destroy();
    const ms = (micros: number) => micros / 1000;
    const { max, count } = this.#micros;
    const [p50, p99] = [ms(this.#micros.percentile(50)), ms(this.#micros.percentile(99))];
    return {
      requests: this.#begun,
      failed: this.#failed,
      failures: Object.fromEntries(this.#failures),
      examples: this.#examples,
      latencyMs: count === 0 ? { p50: 0, p99: 0, max: 0 } : { p50, p99, max: ms(max) },
    };
  }

  #send(due: readonly number[]): void {
    for (const dueMs of due) {
      void this.#one(dueMs);
      this.#begun += 1;
    }
  }

  async #one(dueMs: number): Promise<void> {
    this.#underWay += 1;
    const requestId = `chaos-${process.pid}-${this.#begun}`;
    const asked = await this.#ask(requestId);
    this.#underWay -= 1;
    const waitedMs = performance.now() - dueMs;
    if (asked.ok) this.#micros.record(Math.max(1, Math.round(waitedMs * 1000)));
    else {
      const { outcome } = asked;
      this.#noteFailure({ at: new Date().toISOString(), waitedMs: Math.round(waitedMs), outcome, requestId });
    }
    if (this.#underWay === 0) this.#onIdle();
  }

  #noteFailure(failure: FailedRequest): void {
    const { outcome } = failure;
    const key = this.#failures.size < OUTCOMES_MAX || this.#failures.has(outcome) ? outcome : "others";
    this.#failures.set(key, (this.#failures.get(key) ?? 0) + 1);
    this.#failed += 1;
    this.#lastFailureMs = performance.now();
    if (this.#examples.length < FAILURES_KEPT) this.#examples.push(failure);
  }

  /** A 4xx is an answer, unless a tier gave it: no tier has cause to refuse this request. */
  async #ask(requestId: string): Promise<Outcome> {
    if (this.#underWay > UNDER_WAY_MAX) return { ok: false, outcome: "not sent: too many are under way" };
    const path = this.#url.pathname + this.#url.search;
    try {
      const limit = { signal: AbortSignal.timeout(ANSWER_MS_MAX) };
      const request = { method: "GET", path, headers: { "X-Request-Id": requestId }, ...limit } as const;
      const { statusCode, headers, body } = await this.#pool.request(request);
      for await (const _ of body);
      const refusal = headers["x-lb-error"];
      if (statusCode < 500 && refusal === undefined) return { ok: true };
      return { ok: false, outcome: refusal === undefined ? String(statusCode) : `${statusCode} ${refusal}` };
    } catch (error) {
      const { code, name, message } = error as NodeJS.ErrnoException;
      return { ok: false, outcome: name === "TimeoutError" ? "no answer in time" : String(code ?? message) };
    }
  }
}
