// A steady load of several keep-alive clients that forgets nothing: each request that was sent ends in the tally under its
// method and its outcome, also when no answer ever comes.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { eventually, within } from "../eventually.ts";
import { ask, type Reply } from "../http/ask.ts";
import type { Scope } from "../scope.ts";

const ANSWER_WITHIN_MS = 60_000;
/** Between two requests of one client: steady, and leaving the machine to the system under test. */
const PACE_MS = 5;
/** The clients that send GET, and those that send POST. Each has one request under way at a time. */
const GETTERS = 4;
const POSTERS = 2;

type Method = "GET" | "POST";

/** How often each outcome came, such as `GET 200`, `GET ECONNRESET` or `POST 502`. */
export type Tally = Readonly<Record<string, number>>;

export class Load {
  readonly #port: number;
  readonly #clients: readonly Promise<void>[];
  readonly #outcomes = new Map<string, number>();
  readonly #members = new Map<string, number>();
  #sent = 0;
  #over = false;

  constructor(port: number) {
    this.#port = port;
    const clients = (count: number, method: Method) =>
      Array.from({ length: count }, (_, index) => this.#client(`${method}-${index}`, method));
    this.#clients = [...clients(GETTERS, "GET"), ...clients(POSTERS, "POST")];
  }

  /** Until the load has been answered once more by the server, or through the proxy. */
  async passes(member: string, limitMs = 30_000): Promise<void> {
    const before = this.#members.get(member) ?? 0;
    await eventually(`${member} takes traffic`, () => (this.#members.get(member) ?? 0) > before, limitMs);
  }

  /** Until this many more requests have been answered, well or not. */
  async goesOn(requests: number, limitMs = 60_000): Promise<void> {
    const before = this.#counted;
    await eventually(`${requests} more requests are over`, () => this.#counted >= before + requests, limitMs);
  }

  /** Sends no more and waits for what is under way. May be called again. */
  async finish(): Promise<Tally> {
    this.#over = true;
    await Promise.all(this.#clients);
    if (this.#counted !== this.#sent) throw new Error(`${this.#sent} requests sent, ${this.#counted} counted`);
    return Object.fromEntries([...this.#outcomes].sort());
  }

  get #counted(): number {
    return [...this.#outcomes.values()].reduce((sum, count) => sum + count, 0);
  }

  async #client(name: string, method: Method): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let number = 0; !this.#over; number += 1) {
      this.#sent += 1;
      increment(this.#outcomes, `${method} ${await this.#one(`${name}-${number}`, method, agent)}`);
      await delay(PACE_MS);
    }
    agent.destroy();
  }

  /** Each request has an id of its own, and its answer has to be an answer to that. */
  async #one(id: string, method: Method, agent: Agent): Promise<string> {
    try {
      const question = { method, agent, path: `/?client=${id}`, ...(method === "POST" ? { body: id } : {}) };
      const reply = await within(ANSWER_WITHIN_MS, "an answer", ask(this.#port, question));
      if (reply.status !== 200) return String(reply.status);
      if (!answers(id, method, reply)) return "200, to another request";
      for (const member of routeOf(reply)) increment(this.#members, member);
      return "200";
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    }
  }
}

/** A load that is under way, and over when the test is. */
export async function loadOn(scope: Scope, port: number): Promise<Load> {
  const load = new Load(port);
  scope.after(async () => void (await load.finish()));
  await load.goesOn(50);
  return load;
}

/**
 * Nothing failed but POSTs that were at a member when it died, which may have been executed and so are not repeated.
 * @param deaths members that died under the load
 */
export function assertNoneFailed(tally: Tally, deaths: number): void {
  const { "GET 200": _got, "POST 200": _posted, "POST 502": lost = 0, ...failed } = tally;
  assert.deepEqual(failed, {});
  assert.ok(lost <= POSTERS * deaths, `${lost} POSTs were lost`);
}

/** The proxy an answer came through, the first to write itself into Via, and the server that gave it. */
export function routeOf({ headers }: Reply): [proxy: string, server: string] {
  const proxy = headers.via?.split(/[ ,]+/)[1];
  return [proxy ?? "no proxy", String(headers["x-served-by"] ?? "nobody")];
}

function answers(id: string, method: Method, { body }: Reply): boolean {
  const facts = JSON.parse(body) as { client?: string; body?: { sha256: string } };
  const sha256 = method === "POST" ? createHash("sha256").update(id).digest("hex") : undefined;
  return facts.client === id && facts.body?.sha256 === sha256;
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
