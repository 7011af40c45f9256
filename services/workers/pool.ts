// The workers of one member: as many as there are to be, all on one port, each started again when it has ended. They accept from one shared
// socket. A primary that hands connections out in turn, as node:cluster can, would lose those that it has sent to a worker which is just
// being killed: nobody closes them, and their clients wait for ever.

import cluster from "node:cluster";
import { backoffMs } from "../runtime/backoff.ts";
import type { Drainable, Drained } from "../runtime/drain.ts";
import { exitCode, StartupFailure } from "../runtime/exit.ts";
import { Condition, type Log } from "../runtime/log.ts";
import type { MetricValues } from "./messages.ts";
import { WorkerProcess } from "./worker-process.ts";

const ANSWER_MS = 300;
/** A worker that ran for so long has no failures behind it. */
const SETTLED_MS = 10_000;
const RESTART = { firstMs: 100, maxMs: 10_000 };
/** For a worker that was told its deadline, to say that it is over. */
const LATE_MS = 1_000;

export interface WorkerPoolParts {
  readonly workers: number;
  /** Is it all the same where they listen? */
  readonly anyPort: boolean;
  readonly log: Log;
  /** A worker is gone, and another comes. @param last what it told of its metrics; undefined: nothing */
  readonly onEnded: (last: MetricValues | undefined) => void;
}

/** One worker after the other that has a number. */
interface Seat {
  readonly number: number;
  readonly condition: Condition;
  worker: WorkerProcess;
  failures: number;
  told: MetricValues | undefined;
}

export class WorkerPool implements Drainable {
  readonly #parts: WorkerPoolParts;
  readonly #seats: Seat[] = [];
  #port: number | undefined;
  #ending = false;

  constructor(parts: WorkerPoolParts) {
    this.#parts = parts;
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ args: process.argv.slice(2) });
  }

  get up(): number {
    return this.#seats.filter(({ worker }) => worker.isUp).length;
  }

  /** Starts them all: the first finds the port. @throws StartupFailure when one of them cannot listen */
  async listen(): Promise<number> {
    const port = await this.#first(this.#add());
    this.#port = port;
    while (this.#seats.length < this.#parts.workers) this.#add();
    await Promise.all(this.#seats.map((seat) => this.#first(seat)));
    for (const seat of this.#seats) void this.#keep(seat);
    return port;
  }

  /** Would one of them take a new request? */
  async ready(): Promise<boolean> {
    const answers = await Promise.all(this.#seats.map(({ worker }) => worker.ask<boolean>("ready", ANSWER_MS)));
    return answers.includes(true);
  }

  /** What each of them counts; one that does not answer counts as when it last did. */
  async metrics(): Promise<MetricValues[]> {
    const all = this.#seats.map(async (seat) => {
      seat.told = (await seat.worker.ask<MetricValues>("metrics", ANSWER_MS)) ?? seat.told;
      return seat.told ?? [];
    });
    return Promise.all(all);
  }

  begin(): void {
    this.#ending = true;
    for (const { worker } of this.#seats) worker.tell({ kind: "begin-drain" });
  }

  async drain(deadlineMs: number): Promise<Drained> {
    this.#ending = true;
    const workers = this.#seats.map(({ worker }) => worker);
    for (const worker of workers) worker.tell({ kind: "drain", deadlineMs });
    const late = setTimeout(() => {
      for (const worker of workers) worker.kill();
    }, deadlineMs + LATE_MS);
    await Promise.all(workers.map(({ ended }) => ended));
    clearTimeout(late);
    const all = workers.map(({ drained }) => drained ?? { cut: 0, upgradesEnded: 0 });
    return {
      cut: all.reduce((sum, { cut }) => sum + cut, 0),
      upgradesEnded: all.reduce((sum, { upgradesEnded }) => sum + upgradesEnded, 0),
    };
  }

  #add(): Seat {
    const number = this.#seats.length + 1;
    const condition = new Condition(this.#parts.log, "worker");
    const seat = { number, condition, worker: this.#fork(number), failures: 0, told: undefined };
    this.#seats.push(seat);
    return seat;
  }

  #fork(number: number): WorkerProcess {
    // For node:cluster the same question has the same answer: to those that ask for any port, the port of the first.
    const port = this.#port === undefined || this.#parts.anyPort ? {} : { PORT: String(this.#port) };
    return new WorkerProcess({ WORKER: String(number), STOP_WITH_STDIN: "no", LISTENING_FILE: "", ...port });
  }

  /** Its first start: what it cannot do, it has said itself. */
  async #first({ number, worker }: Seat): Promise<number> {
    const port = await worker.listening;
    if (port !== undefined) return port;
    const { code, reason } = await worker.ended;
    for (const each of this.#seats) each.worker.kill();
    throw new StartupFailure(code || exitCode.portTaken, `worker ${number} does not listen: ${reason}`);
  }

  /** Starts it again whenever it has ended. */
  async #keep(seat: Seat): Promise<void> {
    const { number, condition, worker } = seat;
    const { reason } = await worker.ended;
    if (this.#ending) return;
    seat.failures = performance.now() - worker.startedMs < SETTLED_MS ? seat.failures + 1 : 1;
    this.#parts.onEnded(seat.told);
    seat.told = undefined;
    condition.failing(reason, { worker: number });
    // The first time at once.
    const delayMs = seat.failures === 1 ? 0 : backoffMs(RESTART, seat.failures - 1, Math.random());
    setTimeout(() => this.#again(seat), delayMs).unref();
  }

  #again(seat: Seat): void {
    if (this.#ending) return;
    const { number, condition } = seat;
    seat.worker = this.#fork(number);
    void seat.worker.listening.then((port) => port !== undefined && condition.recovered({ worker: number }));
    void this.#keep(seat);
  }
}
