// An open loop over several addresses, of which each request is kept with when it began, how long it took and what became of it: for
// what is said of requests by time, and of one machine beside another. A GET and a POST by turns.

import { Agent, request } from "node:http";
import { text } from "node:stream/consumers";
import { eventually, within } from "../eventually.ts";
import type { Scope } from "../scope.ts";
import { arrive } from "./arrivals.ts";

const ANSWER_MS_MAX = 40_000;

export interface Target {
  readonly address: string;
  readonly port: number;
  readonly path: string;
}

export interface Timed {
  readonly method: "GET" | "POST";
  readonly address: string;
  /** By the wall clock, as whatever else is compared with it. */
  readonly atMs: number;
  readonly tookMs: number;
  /** Status and X-LB-Error, or the error's code; absent: 200. */
  readonly failure?: string;
}

export class TimedLoad {
  /** Those that are over. */
  readonly requests: Timed[] = [];
  readonly #targets: readonly Target[];
  readonly #agent = new Agent({ keepAlive: true });
  readonly #sending: Promise<void>;
  #sent = 0;
  #over = false;

  constructor(targets: readonly Target[], perSecond: number) {
    this.#targets = targets;
    this.#sending = arrive({ perSecond }, { goesOn: () => !this.#over, send: () => this.#send() });
  }

  /** Until so many more are over. */
  async more(count: number): Promise<void> {
    const goal = this.requests.length + count;
    await eventually(`${count} more requests are over`, () => this.requests.length >= goal, ANSWER_MS_MAX);
  }

  /** Sends no more, and waits for what is under way. May be called twice. */
  async finish(): Promise<this> {
    this.#over = true;
    await within(2 * ANSWER_MS_MAX, "the last answers", this.#sending);
    this.#agent.destroy();
    return this;
  }

  /** Such as "GET 502 reset at 127.0.0.1 after 13 ms". */
  failed(wanted: (one: Timed) => boolean = () => true): string[] {
    return this.requests
      .filter((one) => one.failure !== undefined && wanted(one))
      .map(
        ({ method, address, tookMs, failure }) => `${method} ${failure} at ${address} after ${Math.round(tookMs)} ms`,
      );
  }

  /** How many there were and failed, and how long they took, for whoever reads of a test. */
  summary(wanted: (one: Timed) => boolean = () => true): string {
    const all = this.requests.filter(wanted);
    const took = all.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
    const at = (share: number) => Math.round(took[Math.floor(share * (took.length - 1))] ?? 0);
    const failed = (method: string) => all.filter((one) => one.method === method && one.failure !== undefined).length;
    return `${all.length} requests, ${failed("GET")} GETs and ${failed("POST")} POSTs failed; p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)} ms`;
  }

  async #send(): Promise<void> {
    const count = this.#sent++;
    const method = count % 2 === 0 ? "GET" : "POST";
    const { address, port, path } = this.#targets[Math.floor(count / 2) % this.#targets.length] as Target;
    const atMs = wallMs();
    const failure = await this.#failureOf(method, { address, port, path });
    this.requests.push({ method, address, atMs, tookMs: wallMs() - atMs, ...(failure !== undefined && { failure }) });
  }

  #failureOf(method: string, { address: host, port, path }: Target): Promise<string | undefined> {
    return new Promise((resolve) => {
      const signal = AbortSignal.timeout(ANSWER_MS_MAX);
      const sent = request({ host, port, path, method, agent: this.#agent, signal }, async (response) => {
        const { statusCode, headers } = response;
        const whole = await text(response).then(
          () => true,
          () => false,
        );
        if (!whole) resolve("cut short");
        else resolve(statusCode === 200 ? undefined : `${statusCode} ${headers["x-lb-error"] ?? ""}`.trim());
      });
      sent.once("error", ({ name, code }: NodeJS.ErrnoException) => resolve(code ?? name));
      sent.end(method === "POST" ? "body" : undefined);
    });
  }
}

/** A load that is over with its scope. */
export function timedLoad(scope: Scope, targets: readonly Target[], perSecond: number): TimedLoad {
  const load = new TimedLoad(targets, perSecond);
  scope.after(async () => void (await load.finish()));
  return load;
}

/** By the clock that containers of this machine have too. */
export function wallMs(): number {
  return performance.timeOrigin + performance.now();
}
