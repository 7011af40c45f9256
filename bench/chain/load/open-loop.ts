// An open loop: requests leave by the clock, whatever became of those before them, as from users who know nothing of each other.
// Latency counts from the moment that a request was due, so that a late generator or a full chain hides nothing.

import { setTimeout as delay } from "node:timers/promises";
import { type Answer, bytesOf, Connection } from "./connection.ts";
import { percentile, type Request } from "./result.ts";

/** Past it a user has left. */
const PATIENCE_MS = 5_000;
/** What one machine has descriptors for; a request that finds no connection counts as turned away. */
const CONNECTIONS_MAX = 4_096;
const TICK_MS = 1;
const SWEEP_MS = 100;
/** After a pause of the machine no flood follows. */
const LATE_S_MAX = 0.1;

export interface OpenLoop {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly request: Request;
  /** Is it the answer that was expected? */
  readonly isRight: (answer: Answer) => boolean;
}

export interface OpenLoopResult {
  /** Requests that were due and, of those, what became of them. */
  readonly due: number;
  readonly good: number;
  /** Good ones that came while requests still left: those over `seconds` are the goodput. */
  readonly goodInTime: number;
  /** Answered with a 503. */
  readonly rejected: number;
  /** Not answered: no connection free, broken, or not in time. */
  readonly lost: number;
  /** Any other answer. */
  readonly wrong: number;
  readonly seconds: number;
  /** Of the good answers. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the answers 503: at once is what they are good for. */
  readonly rejectedP99Ms: number;
}

interface Flight {
  readonly connection: Connection;
  readonly dueMs: number;
}

export async function openLoop(load: OpenLoop): Promise<OpenLoopResult> {
  return new Run(load).run();
}

class Run {
  readonly #load: OpenLoop;
  readonly #bytes: string;
  readonly #idle: Connection[] = [];
  readonly #flights = new Set<Flight>();
  readonly #goodMs: number[] = [];
  readonly #rejectedMs: number[] = [];
  #due = 0;
  #goodInTime = 0;
  #lost = 0;
  #wrong = 0;

  constructor(load: OpenLoop) {
    this.#load = load;
    this.#bytes = bytesOf(load.request);
  }

  async run(): Promise<OpenLoopResult> {
    const sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    const startedMs = performance.now();
    await this.#send();
    const seconds = (performance.now() - startedMs) / 1_000;
    this.#goodInTime = this.#goodMs.length;
    while (this.#flights.size > 0) await delay(SWEEP_MS);
    clearInterval(sweeper);
    for (const connection of this.#idle) connection.close();
    return this.#result(seconds);
  }

  async #send(): Promise<void> {
    const { perSecond, seconds } = this.#load;
    const startedMs = performance.now();
    let clockMs = startedMs;
    let owed = 0;
    while (clockMs < startedMs + seconds * 1_000) {
      await delay(TICK_MS);
      const nowMs = performance.now();
      owed = Math.min(owed + ((nowMs - clockMs) / 1_000) * perSecond, perSecond * LATE_S_MAX);
      clockMs = nowMs;
      const count = Math.floor(owed);
      // Those of one tick were due one after another since the tick before.
      for (let n = count; n > 0; n -= 1) this.#one(nowMs - (n / perSecond) * 1_000);
      owed -= count;
    }
  }

  #one(dueMs: number): void {
    this.#due += 1;
    const connection = this.#connection();
    if (connection === undefined) {
      this.#lost += 1;
      return;
    }
    const flight = { connection, dueMs };
    this.#flights.add(flight);
    connection.send(this.#bytes, (answer) => this.#landed(flight, answer));
  }

  #connection(): Connection | undefined {
    for (let found = this.#idle.pop(); found; found = this.#idle.pop()) if (found.isOpen) return found;
    return this.#flights.size < CONNECTIONS_MAX ? new Connection(this.#load.port) : undefined;
  }

  #landed(flight: Flight, answer: Answer | undefined): void {
    this.#flights.delete(flight);
    if (answer === undefined) {
      this.#lost += 1;
      return;
    }
    const tookMs = performance.now() - flight.dueMs;
    if (this.#load.isRight(answer)) this.#goodMs.push(tookMs);
    else if (answer.status === 503) this.#rejectedMs.push(tookMs);
    else this.#wrong += 1;
    this.#idle.push(flight.connection);
  }

  /** Flights are in the order of their departure. */
  #sweep(): void {
    const oldestMs = performance.now() - PATIENCE_MS;
    for (const { connection, dueMs } of this.#flights) {
      if (dueMs > oldestMs) return;
      connection.close();
    }
  }

  #result(seconds: number): OpenLoopResult {
    const sort = (times: number[]) => times.sort((one, other) => one - other);
    const [good, rejected] = [sort(this.#goodMs), sort(this.#rejectedMs)];
    return {
      ...{
        due: this.#due,
        good: good.length,
        goodInTime: this.#goodInTime,
        rejected: rejected.length,
        lost: this.#lost,
        wrong: this.#wrong,
        seconds,
      },
      ...{ p50Ms: percentile(good, 0.5), p99Ms: percentile(good, 0.99), rejectedP99Ms: percentile(rejected, 0.99) },
    };
  }
}
