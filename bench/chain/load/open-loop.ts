// An open loop: requests leave by the clock, whatever became of those before them, as from users who know nothing of each other.
// Latency counts from the moment that a request was due, so that a late generator or a full chain hides nothing.

import { setTimeout as delay } from "node:timers/promises";
import { Pace } from "../../../services/command-line/pace.ts";
import { type Answer, bytesOf, Connection, exchange } from "./connection.ts";
import { percentile, type Request } from "./result.ts";

/** Open before the first request is due, unless said otherwise: users who come to a site that runs have their connections. */
const CONNECTIONS_FIRST = 128;
/** A thousand connections take their time. */
const OPENING_MS_MAX = 20_000;
/** Past it a user has left. */
const PATIENCE_MS = 5_000;
/** What one machine has descriptors for; a request that finds no connection, and no hope of one, is lost. */
export const CONNECTIONS_MAX = 4_096;
/** A pause of the machine must not become a storm of new connections, which cost more than requests on both sides. */
const CONNECTING_MAX = 16;
const TICK_MS = 1;
const SWEEP_MS = 100;
/** After a pause of the machine no flood follows. */
const LATE_MS_MAX = 100;

export interface OpenLoop {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly request: Request;
  /** Open before the first request is due. */
  readonly connections?: number;
  /** Called when they are; the first request is due when it resolves. */
  readonly whenOpen?: () => Promise<void>;
  /** Is it the answer that was expected? @param tookMs from the moment that it was due */
  readonly isRight: (answer: Answer, tookMs: number) => boolean;
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
  /** When each request that has no connection yet was due, the oldest first. */
  readonly #waiting: number[] = [];
  #connecting = 0;
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
    await this.#open();
    await this.#load.whenOpen?.();
    const startedMs = performance.now();
    await this.#send();
    const seconds = (performance.now() - startedMs) / 1_000;
    this.#goodInTime = this.#goodMs.length;
    while (this.#flights.size + this.#waiting.length + this.#connecting > 0) await delay(SWEEP_MS);
    clearInterval(sweeper);
    for (const connection of this.#idle) connection.close();
    return this.#result(seconds);
  }

  async #open(): Promise<void> {
    const { port, connections: length = CONNECTIONS_FIRST } = this.#load;
    const connections = Array.from({ length }, () => new Connection(port));
    const limit = setTimeout(() => {
      for (const connection of connections) connection.close();
    }, OPENING_MS_MAX);
    await Promise.all(connections.map((connection) => exchange(connection, this.#bytes)));
    clearTimeout(limit);
    this.#idle.push(...connections);
  }

  async #send(): Promise<void> {
    const { perSecond, seconds } = this.#load;
    const startMs = performance.now();
    const pace = new Pace({ perSecond, startMs, lateMsMax: LATE_MS_MAX });
    while (performance.now() < startMs + seconds * 1_000) {
      await delay(TICK_MS);
      for (const dueMs of pace.takeDue(performance.now())) this.#one(dueMs);
    }
  }

  #one(dueMs: number): void {
    this.#due += 1;
    if (this.#waiting.length + this.#flights.size >= CONNECTIONS_MAX) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(dueMs);
    let connection = this.#idle.pop();
    while (connection !== undefined && !connection.isOpen) connection = this.#idle.pop();
    if (connection === undefined) this.#connect();
    else this.#serve(connection);
  }

  /** Gives the connection to the request that has waited longest. */
  #serve(connection: Connection): void {
    const dueMs = this.#waiting.shift();
    if (dueMs === undefined) {
      this.#idle.push(connection);
      return;
    }
    const flight = { connection, dueMs };
    this.#flights.add(flight);
    connection.send(this.#bytes, (answer) => this.#landed(flight, answer));
  }

  #connect(): void {
    while (this.#connecting < Math.min(CONNECTING_MAX, this.#waiting.length)) {
      this.#connecting += 1;
      const connection = new Connection(this.#load.port);
      connection.whenSettled((connected) => {
        this.#connecting -= 1;
        if (connected) this.#serve(connection);
        else if (this.#waiting.shift() !== undefined) this.#lost += 1;
        this.#connect();
      });
    }
  }

  #landed(flight: Flight, answer: Answer | undefined): void {
    this.#flights.delete(flight);
    if (answer === undefined) {
      this.#lost += 1;
      this.#connect();
      return;
    }
    const tookMs = performance.now() - flight.dueMs;
    if (this.#load.isRight(answer, tookMs)) this.#goodMs.push(tookMs);
    else if (answer.status === 503) this.#rejectedMs.push(tookMs);
    else this.#wrong += 1;
    if (flight.connection.isOpen) this.#serve(flight.connection);
    else this.#connect();
  }

  /** Flights are in the order of their departure. */
  #sweep(): void {
    const oldestMs = performance.now() - PATIENCE_MS;
    while ((this.#waiting[0] ?? Number.POSITIVE_INFINITY) < oldestMs) {
      this.#waiting.shift();
      this.#lost += 1;
    }
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
