// The guardian's side: carries out what its present watchdog asks, and tells it what becomes of the members. It reads nothing that a
// member writes: their pipes are passed to each watchdog in turn, and what nobody has read waits in them for the next one.

import type { ChildProcess } from "node:child_process";
import { isOrder, type PipeName, type ProcessNotice, type ProcessOrder } from "./messages.ts";
import type { OwnProcess, OwnProcesses } from "./own-processes.ts";

const PIPES: readonly PipeName[] = ["stdout", "stderr"];

/** Serves one watchdog until it has ended. */
export function serveProcesses(watchdog: ChildProcess, processes: OwnProcesses): void {
  const service = new Service(watchdog, processes);
  watchdog.on("message", (message) => {
    if (isOrder(message)) void service.carryOut(message);
  });
}

class Service {
  readonly #watchdog: ChildProcess;
  readonly #processes: OwnProcesses;

  constructor(watchdog: ChildProcess, processes: OwnProcesses) {
    this.#watchdog = watchdog;
    this.#processes = processes;
  }

  async carryOut(order: ProcessOrder): Promise<void> {
    if (order.kind === "list") await this.#list();
    else if (order.kind === "start") await this.#start(order);
    else if (order.kind === "signal") this.#processes.signal(order.instance, order.signal);
    else this.#processes.forget(order.instance);
  }

  async #list(): Promise<void> {
    const kept = await this.#processes.kept();
    for (const one of kept) this.#hand(one);
    this.#tell({ kind: "listed", instances: kept.map(({ start }) => start.instance) });
  }

  async #start({ start }: ProcessOrder & { kind: "start" }): Promise<void> {
    try {
      this.#hand(await this.#processes.start(start));
    } catch (error) {
      this.#tell({ kind: "not-started", instance: start.instance, reason: (error as Error).message });
    }
  }

  #hand(kept: OwnProcess): void {
    const { start, pid } = kept;
    this.#tell({ kind: "started", start, pid });
    for (const name of PIPES) this.#tell({ kind: "pipe", instance: start.instance, name }, kept[name]);
    void kept.ended.then((end) => this.#tell({ kind: "ended", instance: start.instance, end }));
  }

  /** To one that has died meanwhile nothing is told: the next one asks. */
  #tell(notice: ProcessNotice, pipe?: OwnProcess[PipeName]): void {
    if (this.#watchdog.connected) this.#watchdog.send(notice, pipe, { keepOpen: true }, () => {});
  }
}
