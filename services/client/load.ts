// Many requests of the client: so many, or for so long, at most so many at a time, at a rate or as fast as answers come.
// It says when each begins; what is asked and what is counted is others' business.

import { Pace } from "../command-line/pace.ts";

/** After a standstill so much is made up for, and no more: a flood would say nothing of what was asked for. */
const LATE_MS_MAX = 1_000;

export interface LoadPlan {
  /** Undefined: as many as come. */
  readonly requests: number | undefined;
  /** Undefined: until all are answered. What is under way then is waited for. */
  readonly durationMs: number | undefined;
  /** Most that are under way at a time. */
  readonly concurrency: number;
  /** Requests a second; undefined: as fast as answers come. */
  readonly rate: number | undefined;
}

export interface LoadParts<Result> {
  readonly plan: LoadPlan;
  /** Never rejects. */
  readonly ask: () => Promise<Result>;
  readonly onResult: (result: Result) => void;
  /** Ends it at once: what is under way counts neither as answered nor as failed. */
  readonly stop: AbortSignal;
}

export class ClientLoad<Result> {
  readonly #parts: LoadParts<Result>;
  readonly #startMs = performance.now();
  readonly #pace: Pace | undefined;
  #begun = 0;
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined;
  #onOver: () => void = () => {};

  constructor(parts: LoadParts<Result>) {
    this.#parts = parts;
    const { rate } = parts.plan;
    if (rate !== undefined) this.#pace = new Pace({ perSecond: rate, startMs: this.#startMs, lateMsMax: LATE_MS_MAX });
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** From the first request on, in ms. */
  get elapsedMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Resolves when all is over. */
  run(): Promise<void> {
    return new Promise((resolve) => {
      this.#onOver = resolve;
      this.#parts.stop.addEventListener("abort", () => this.#go(), { once: true });
      this.#go();
    });
  }

  #go(): void {
    clearTimeout(this.#timer);
    const { concurrency } = this.#parts.plan;
    while (this.#goesOn() && this.#underWay < concurrency && this.#isDue()) void this.#one();
    if (this.#parts.stop.aborted || (!this.#goesOn() && this.#underWay === 0)) this.#onOver();
    else if (this.#goesOn() && this.#underWay < concurrency)
      this.#timer = setTimeout(() => this.#go(), this.#nextMs() - performance.now());
  }

  #goesOn(): boolean {
    const { requests = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY } = this.#parts.plan;
    return !this.#parts.stop.aborted && this.#begun < requests && this.elapsedMs < durationMs;
  }

  #isDue(): boolean {
    return this.#pace === undefined || this.#pace.take(performance.now()) !== undefined;
  }

  /** When the next one is due, or the end. */
  #nextMs(): number {
    const endMs = this.#startMs + (this.#parts.plan.durationMs ?? Number.POSITIVE_INFINITY);
    return Math.min(this.#pace?.nextMs ?? endMs, endMs);
  }

  async #one(): Promise<void> {
    this.#begun += 1;
    this.#underWay += 1;
    const result = await this.#parts.ask();
    this.#underWay -= 1;
    if (!this.#parts.stop.aborted) this.#parts.onResult(result);
    this.#go();
  }
}
