// A worker as its primary has it: a process that was forked, is asked, is killed when it hangs, and ends.

import cluster, { type Worker } from "node:cluster";
import type { Drained } from "../runtime/drain.ts";
import { ALIVE_MS, type Question, type ToPrimary, type ToWorker } from "./messages.ts";

/**
 * Counted in our own ticks: after a pause of the whole member, in which nothing ran, one tick is late and none is missing. Eight are two
 * seconds, which is what the watchdog gives a member.
 */
const SILENT_TICKS_MAX = 8;

export interface WorkerEnd {
  /** How it ended, for a log line. */
  readonly reason: string;
  readonly code: number | undefined;
}

type Answer = (ToPrimary & { kind: "answer" })["answer"];

export class WorkerProcess {
  /** Where it listens; undefined before it does, and when it ends first. */
  readonly listening: Promise<number | undefined>;
  readonly ended: Promise<WorkerEnd>;
  readonly startedMs = performance.now();
  drained: Drained | undefined;
  readonly #worker: Worker;
  readonly #asked = new Map<number, (answer: Answer | undefined) => void>();
  readonly #watch: NodeJS.Timeout;
  #questions = 0;
  #silentTicks = 0;
  #hangs = false;
  #isUp = false;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#worker = cluster.fork(environment);
    let listens: (port: number | undefined) => void = () => {};
    this.listening = new Promise((resolve) => {
      listens = resolve;
    });
    this.#worker.on("message", (message: ToPrimary) => {
      this.#silentTicks = 0;
      if (message.kind === "listening") {
        this.#isUp = true;
        listens(message.port);
      }
      this.#hear(message);
    });
    // A message that could not be sent: it has ended, which is heard of anyway.
    this.#worker.on("error", () => {});
    this.ended = new Promise((resolve) => {
      this.#worker.once("exit", (code, signal) => {
        this.#leave();
        listens(undefined);
        resolve({ reason: this.#reasonOf(code, signal), code: signal === null ? code : undefined });
      });
    });
    this.#watch = setInterval(() => this.#tick(), ALIVE_MS);
  }

  /** Does it take traffic? */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** @returns undefined when it does not answer in time, or ends first */
  ask<A extends Answer>(question: Question, timeoutMs: number): Promise<A | undefined> {
    if (!this.#isUp) return Promise.resolve(undefined);
    this.#questions += 1;
    const number = this.#questions;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#answer(number, undefined), timeoutMs);
      this.#asked.set(number, (answer) => {
        clearTimeout(timer);
        resolve(answer as A | undefined);
      });
      this.tell({ kind: "ask", number, question });
    });
  }

  tell(message: ToWorker): void {
    if (this.#worker.isConnected()) this.#worker.send(message);
  }

  kill(): void {
    this.#worker.process.kill("SIGKILL");
  }

  #hear(message: ToPrimary): void {
    if (message.kind === "answer") this.#answer(message.number, message.answer);
    else if (message.kind === "drained") this.drained = message;
  }

  #answer(number: number, answer: Answer | undefined): void {
    const asked = this.#asked.get(number);
    this.#asked.delete(number);
    asked?.(answer);
  }

  #tick(): void {
    if (!this.#isUp) return;
    this.#silentTicks += 1;
    if (this.#silentTicks <= SILENT_TICKS_MAX || this.#hangs) return;
    this.#hangs = true;
    this.kill();
  }

  #leave(): void {
    this.#isUp = false;
    clearInterval(this.#watch);
    for (const number of [...this.#asked.keys()]) this.#answer(number, undefined);
  }

  #reasonOf(code: number, signal: string | null): string {
    if (this.#hangs) return "it hung, and was killed";
    return signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
  }
}
