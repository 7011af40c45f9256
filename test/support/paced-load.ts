// A steady load of clients on keep-alive connections, each at its own pace by the clock: half a period late is made up for,
// an answer that takes seconds is not. Every request has an id and ends in the books, answered or failed.

import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { ask } from "./ask.ts";
import { eventually, within } from "./eventually.ts";

const ANSWER_MS_MAX = 40_000;

export interface Pace {
  readonly getters: number;
  readonly posters: number;
  /** Between two requests of one client. */
  readonly periodMs: number;
}

/** What became of the requests of one method. */
export interface Book {
  readonly sent: string[];
  readonly answered: string[];
  /** By id: status and X-LB-Error, or the error's code. */
  readonly failed: Map<string, string>;
  /** The longest wait for an answer. */
  slowestMs: number;
}

export class PacedLoad {
  readonly get: Book = { sent: [], answered: [], failed: new Map(), slowestMs: 0 };
  readonly post: Book = { sent: [], answered: [], failed: new Map(), slowestMs: 0 };
  /** Requests answered by each server. */
  readonly servers = new Map<string, number>();
  /** Requests answered through each proxy. */
  readonly proxies = new Map<string, number>();
  readonly #port: number;
  readonly #periodMs: number;
  readonly #clients: Promise<void>[];
  #over = false;

  constructor(port: number, { getters, posters, periodMs }: Pace) {
    this.#port = port;
    this.#periodMs = periodMs;
    const count = getters + posters;
    this.#clients = Array.from({ length: count }, (_, index) => {
      return this.#client(index < getters ? "GET" : "POST", (index / count) * periodMs);
    });
  }

  /** Until `count` more requests have been answered, or those of one member. */
  async more(count: number, member?: string): Promise<void> {
    const read = () => (member === undefined ? this.#answered : this.#by(member));
    const goal = read() + count;
    await eventually(`${count} more answers ${member ?? ""}`, () => read() >= goal, ANSWER_MS_MAX);
  }

  /** Sends no more, and waits for what is under way. May be called twice. */
  async finish(): Promise<void> {
    this.#over = true;
    await within(2 * ANSWER_MS_MAX, "the last answers", Promise.all(this.#clients));
  }

  get #answered(): number {
    return this.get.answered.length + this.post.answered.length;
  }

  #by(member: string): number {
    return (this.servers.get(member) ?? 0) + (this.proxies.get(member) ?? 0);
  }

  async #client(method: "GET" | "POST", offsetMs: number): Promise<void> {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let dueMs = performance.now() + offsetMs;
    while (!this.#over) {
      await delay(Math.max(0, dueMs - performance.now()));
      dueMs = Math.max(dueMs + this.#periodMs, performance.now() - this.#periodMs / 2);
      await this.#one(method, agent);
    }
    agent.destroy();
  }

  async #one(method: "GET" | "POST", agent: Agent): Promise<void> {
    const book = method === "GET" ? this.get : this.post;
    const id = randomUUID();
    const startedMs = performance.now();
    book.sent.push(id);
    try {
      const asked = ask(this.#port, {
        method,
        path: `/?client=${id}`,
        agent,
        ...(method === "POST" ? { body: id } : {}),
      });
      const { status, headers, body } = await within(ANSWER_MS_MAX, "an answer", asked);
      const wrong = status === 200 && !body.includes(`"client":"${id}"`);
      if (status !== 200 || wrong)
        book.failed.set(id, wrong ? "another's answer" : `${status} ${headers["x-lb-error"]}`);
      else {
        book.answered.push(id);
        increment(this.servers, String(headers["x-served-by"]));
        increment(this.proxies, String(headers.via?.split(/[ ,]+/)[1]));
      }
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      book.failed.set(id, code ?? message);
    }
    book.slowestMs = Math.max(book.slowestMs, performance.now() - startedMs);
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
