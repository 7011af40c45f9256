// What is done to the system, all at the same time: requests that must be answered, clients that leave in the middle,
// WebSockets, and swaps of the registry. Each is bounded in number, and all of them by one deadline.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent } from "node:http";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import WebSocket from "ws";
import { arrive } from "../load/arrivals.ts";
import { exchange } from "../load/exchange.ts";
import type { System } from "./system.ts";

const CONNECTIONS = 24;
const LEAVERS = 6;
const TALKERS = 12;
const HANDSHAKE_MS_MAX = 30_000;
const LOOK_EVERY_MS = 10;

export interface Amounts {
  readonly requests: number;
  readonly swaps: number;
  readonly aborts: number;
  readonly webSockets: number;
}

export interface Outcome {
  readonly done: Record<keyof Amounts, number>;
  /** How often each failure came. */
  readonly failures: Map<string, number>;
}

export class Load {
  readonly #system: System;
  readonly #amounts: Amounts;
  readonly #deadlineMs: number;
  readonly #done = { requests: 0, swaps: 0, aborts: 0, webSockets: 0 };
  readonly #begun = { requests: 0, swaps: 0, aborts: 0, webSockets: 0 };
  readonly #failures = new Map<string, number>();
  readonly #agent = new Agent({ keepAlive: true });

  constructor(system: System, amounts: Amounts, limitMs: number) {
    this.#system = system;
    this.#amounts = amounts;
    this.#deadlineMs = performance.now() + limitMs;
  }

  async run(): Promise<Outcome> {
    await Promise.all([
      this.#several(CONNECTIONS, "requests", (number) => this.#request(number)),
      this.#several(1, "swaps", () => this.#system.swap()),
      this.#several(LEAVERS, "aborts", (number) => this.#abort(number)),
      this.#several(TALKERS, "webSockets", (number) => this.#webSocket(number)),
    ]);
    this.#agent.destroy();
    return { done: this.#done, failures: this.#failures };
  }

  async #several(clients: number, kind: keyof Amounts, one: (number: number) => Promise<void>): Promise<void> {
    const goesOn = () => this.#begun[kind] < this.#amounts[kind] && performance.now() < this.#deadlineMs;
    const send = () => (this.#isDue(kind) ? this.#counted(kind, one) : delay(LOOK_EVERY_MS));
    await arrive({ clients, pauseMs: 0 }, { goesOn, send });
  }

  async #counted(kind: keyof Amounts, one: (number: number) => Promise<void>): Promise<void> {
    this.#begun[kind] += 1;
    try {
      await one(this.#begun[kind]);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      this.#fail(`${kind}: ${code ?? message}`);
    }
    this.#done[kind] += 1;
  }

  /** The other kinds keep step with the requests, so that none is over before the others. */
  #isDue(kind: keyof Amounts): boolean {
    if (kind === "requests") return true;
    return this.#begun[kind] / this.#amounts[kind] <= this.#done.requests / this.#amounts.requests;
  }

  #fail(reason: string): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  async #request(number: number): Promise<void> {
    const method = METHODS[number % METHODS.length] as (typeof METHODS)[number];
    const id = randomUUID();
    const body = method === "POST" ? { body: id.repeat(1 + (number % 50)) } : {};
    const outcome = await exchange(this.#system.port, { method, id, agent: this.#agent, ...body });
    if ("failure" in outcome) this.#fail(`requests: ${method} ${outcome.failure}`);
  }

  /** Leaves in the middle of its head, of its body, of the server's work, or of the answer. */
  async #abort(number: number): Promise<void> {
    const socket = connect({ host: "127.0.0.1", port: this.#system.port });
    socket.on("error", () => {});
    const closed = once(socket, "close");
    await once(socket, "connect");
    const way = number % 4;
    if (way === 0) socket.write("GET / HTTP/1.1\r\nHost: soak\r\nX-Half");
    if (way === 1)
      socket.write(`POST / HTTP/1.1\r\nHost: soak\r\nContent-Length: 1000000\r\n\r\n${"x".repeat(100_000)}`);
    if (way === 2) socket.write("GET /work?ms=500 HTTP/1.1\r\nHost: soak\r\n\r\n");
    if (way === 3) {
      socket.write("GET /large HTTP/1.1\r\nHost: soak\r\n\r\n");
      await once(socket, "data");
    } else await delay(number % 30);
    socket.destroy();
    await closed;
  }

  /** Opens, has three messages echoed, and is closed by either side. */
  async #webSocket(number: number): Promise<void> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#system.port}/ws`, { handshakeTimeout: HANDSHAKE_MS_MAX });
    await once(socket, "open");
    for (const message of ["one", "two", "three"]) {
      const echo = once(socket, "message");
      socket.send(`${message} ${number}`);
      const [data] = await echo;
      if (String(data) !== `${message} ${number}`) throw new Error(`echoed ${data}`);
    }
    const closed = once(socket, "close");
    const expected = number % 2 === 0 ? 4001 : 4002;
    if (expected === 4001) socket.close(4001);
    else socket.send("close");
    const [code] = await closed;
    if (code !== expected) throw new Error(`closed with ${code}`);
  }
}

const METHODS = ["GET", "POST", "GET", "HEAD"] as const;
