// A steady load: so many requests a second by the clock, whatever becomes of those before them, as from users who know nothing
// of each other. On keep-alive connections; every request has an id and ends in the books, answered or failed.

import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { eventually, within } from "../eventually.ts";
import { ask } from "../http/ask.ts";

const ANSWER_MS_MAX = 40_000;
const LATE_MS_MAX = 100;

/** Requests a second; 0: none of that method. */
export interface Pace {
  readonly gets: number;
  readonly posts: number;
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
  readonly #agent = new Agent({ keepAlive: true });
  readonly #underWay = new Set<Promise<void>>();
  readonly #senders: Promise<unknown>;
  #over = false;

  constructor(port: number, { gets, posts }: Pace) {
    this.#port = port;
    this.#senders = Promise.all([this.#send("GET", 1_000 / gets), this.#send("POST", 1_000 / posts)]);
  }

  /** Until `count` more requests have been answered, or those of one member. */
  async more(count: number, member?: string): Promise<void> {
    const read = () => (member === undefined ? this.#answered : this.#by(member));
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

  /** Sends no more, and waits for what is under way. May be called twice. */
  async finish(): Promise<void> {
    this.#over = true;
    await this.#senders;
    await within(2 * ANSWER_MS_MAX, "the last answers", Promise.all(this.#underWay));
    this.#agent.destroy();
  }

  get #answered(): number {
    return this.get.answered.length + this.post.answered.length;
  }

  #by(member: string): number {
    return (this.servers.get(member) ?? 0) + (this.proxies.get(member) ?? 0);
  }

  /** A timer that comes late is made up for, up to a point: no flood follows a machine that stood still. */
  async #send(method: "GET" | "POST", periodMs: number): Promise<void> {
    if (periodMs === Number.POSITIVE_INFINITY) return;
    for (
      let dueMs = performance.now();
      !this.#over;
      dueMs = Math.max(dueMs + periodMs, performance.now() - LATE_MS_MAX)
    ) {
      await delay(Math.max(0, dueMs - performance.now()));
      const one = this.#one(method).finally(() => this.#underWay.delete(one));
      this.#underWay.add(one);
    }
  }

  async #one(method: "GET" | "POST"): Promise<void> {
    const book = method === "GET" ? this.get : this.post;
    const id = randomUUID();
    const startedMs = performance.now();
    book.sent.push(id);
    try {
      const asked = ask(this.#port, {
        method,
        path: `/?client=${id}`,
        agent: this.#agent,
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
