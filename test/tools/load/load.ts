// The load that the whole system is put under: GETs and POSTs on keep-alive connections, at a rate or from clients that wait.
// Every request ends in the books under its id, answered or failed, also when no answer ever comes.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { eventually, within } from "../eventually.ts";
import type { Scope } from "../scope.ts";
import { type Arrivals, arrive } from "./arrivals.ts";
import { ANSWER_MS_MAX, exchange } from "./exchange.ts";

/** How requests of each method arrive; absent: none do. */
export interface Traffic {
  readonly get?: Arrivals;
  readonly post?: Arrivals;
}

/** Of the clients below those that send POST: as many POSTs can be lost with one member that dies. */
const POSTERS = 2;

/** A few clients, steady, which leave the machine to the system under test. */
export const fewClients: Traffic = { get: { clients: 4, pauseMs: 5 }, post: { clients: POSTERS, pauseMs: 5 } };

/** What became of the requests of one method. */
export interface Book {
  readonly sent: string[];
  readonly answered: string[];
  /** How each failed, by id. */
  readonly failed: Map<string, string>;
  /** The longest wait for an answer. */
  slowestMs: number;
}

export class Load {
  readonly get: Book = { sent: [], answered: [], failed: new Map(), slowestMs: 0 };
  readonly post: Book = { sent: [], answered: [], failed: new Map(), slowestMs: 0 };
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });
  /** Answers that came from each server, and through each proxy. */
  readonly #members = new Map<string, number>();
  readonly #senders: Promise<unknown>;
  #over = false;

  constructor(port: number, { get, post }: Traffic) {
    this.#port = port;
    const goesOn = () => !this.#over;
    this.#senders = Promise.all([
      get && arrive(get, { goesOn, send: () => this.#one("GET", this.get) }),
      post && arrive(post, { goesOn, send: () => this.#one("POST", this.post) }),
    ]);
  }

  /** Until so many more requests have been answered, or those of one member. */
  async more(count: number, member?: string): Promise<void> {
    const read = () => (member === undefined ? this.#answered : (this.#members.get(member) ?? 0));
    const goal = read() + count;
    await eventually(`${count} more answers ${member ?? ""}`, () => read() >= goal, ANSWER_MS_MAX);
  }

  /** Until every GET that has been sent so far has its answer. */
  async caughtUp(): Promise<void> {
    const { sent, answered, failed } = this.get;
    const goal = [...sent];
    const over = () => {
      const done = new Set([...answered, ...failed.keys()]);
      return goal.every((id) => done.has(id));
    };
    await eventually("the GETs under way are answered", over, ANSWER_MS_MAX);
  }

  /** Sends no more, and waits for what is under way. May be called twice. @throws when a request is in no book */
  async finish(): Promise<this> {
    this.#over = true;
    await within(2 * ANSWER_MS_MAX, "the last answers", this.#senders);
    this.#agent.destroy();
    for (const { sent, answered, failed } of [this.get, this.post]) {
      assert.equal(answered.length + failed.size, sent.length, "requests that are over, and that were sent");
    }
    return this;
  }

  /** How often each outcome came, such as `GET 200`, `GET ECONNRESET` or `POST 502 reset`. */
  tally(): Readonly<Record<string, number>> {
    const tally: Record<string, number> = {};
    for (const [method, { answered, failed }] of [
      ["GET", this.get],
      ["POST", this.post],
    ] as const) {
      if (answered.length > 0) tally[`${method} 200`] = answered.length;
      for (const failure of failed.values()) tally[`${method} ${failure}`] = (tally[`${method} ${failure}`] ?? 0) + 1;
    }
    return tally;
  }

  get #answered(): number {
    return this.get.answered.length + this.post.answered.length;
  }

  async #one(method: "GET" | "POST", book: Book): Promise<void> {
    const id = randomUUID();
    const startedMs = performance.now();
    book.sent.push(id);
    const body = method === "POST" ? { body: id } : {};
    const outcome = await exchange(this.#port, { method, id, agent: this.#agent, ...body });
    book.slowestMs = Math.max(book.slowestMs, performance.now() - startedMs);
    if ("failure" in outcome) book.failed.set(id, outcome.failure);
    else {
      book.answered.push(id);
      for (const member of outcome.members) this.#members.set(member, (this.#members.get(member) ?? 0) + 1);
    }
  }
}

/** A load that is under way, and over when the scope is. */
export function loadOn(scope: Scope, port: number, traffic: Traffic): Load {
  const load = new Load(port, traffic);
  scope.after(async () => void (await load.finish()));
  return load;
}

/**
 * Ends the load. Nothing failed but POSTs that were at a member when it died, which may have been executed and so are not
 * repeated: of a few clients no more than these have under way.
 * @param deaths members that died under the load
 */
export async function assertNoneFailed(load: Load, deaths = 0): Promise<void> {
  const { get, post } = await load.finish();
  assert.deepEqual([...get.failed.values()], []);
  assert.equal(get.answered.length, get.sent.length);
  const failures = [...post.failed.values()];
  assert.deepEqual(
    failures.filter((failure) => !/^502\b/.test(failure)),
    [],
  );
  assert.ok(failures.length <= POSTERS * deaths, `${failures.length} POSTs were lost`);
}
