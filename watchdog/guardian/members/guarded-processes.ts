// The watchdog's side: its members are children of its guardian, which outlives it. Messages arrive in the order in which they were sent,
// so one is known as soon as both of its pipes have come.

import type { Socket } from "node:net";
import type { KeptProcess, MemberProcess, MemberProcesses, ProcessEnd, ProcessStart } from "./member-processes.ts";
import type { PipeName, ProcessNotice, ProcessOrder } from "./messages.ts";

/** One that the guardian has named. */
interface Named extends Partial<Record<PipeName, Socket>> {
  readonly start: ProcessStart;
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  readonly end: (end: ProcessEnd) => void;
}

interface Starting {
  readonly resolve: (process: MemberProcess) => void;
  readonly reject: (error: Error) => void;
}

export class GuardedProcesses implements MemberProcesses {
  readonly #named = new Map<string, Named>();
  readonly #starting = new Map<string, Starting>();
  #listed: (instances: readonly string[]) => void = () => {};

  constructor() {
    process.on("message", (notice, pipe) => this.#hear(notice as ProcessNotice, pipe as Socket | undefined));
    process.once("disconnect", () => this.#orphaned());
  }

  async kept(): Promise<readonly KeptProcess[]> {
    const instances = await new Promise<readonly string[]>((resolve) => {
      this.#listed = resolve;
      if (!ask({ kind: "list" })) resolve([]);
    });
    return instances.map((instance) => whole(this.#named.get(instance) as Named));
  }

  start(start: ProcessStart): Promise<MemberProcess> {
    return new Promise((resolve, reject) => {
      this.#starting.set(start.instance, { resolve, reject });
      if (!ask({ kind: "start", start })) this.#orphaned();
    });
  }

  signal(instance: string, signal: NodeJS.Signals): void {
    ask({ kind: "signal", instance, signal });
  }

  forget(instance: string): void {
    this.#named.delete(instance);
    ask({ kind: "forget", instance });
  }

  #hear(notice: ProcessNotice, pipe: Socket | undefined): void {
    const { kind } = notice;
    if (kind === "listed") this.#listed(notice.instances);
    else if (kind === "started") this.#name(notice.start, notice.pid);
    else if (kind === "not-started") this.#over(notice.instance)?.reject(new Error(notice.reason));
    else if (kind === "pipe") this.#pipe(notice.instance, notice.name, pipe);
    else this.#named.get(notice.instance)?.end(notice.end);
  }

  #name(start: ProcessStart, pid: number): void {
    let end: (end: ProcessEnd) => void = () => {};
    const ended = new Promise<ProcessEnd>((resolve) => {
      end = resolve;
    });
    this.#named.set(start.instance, { start, pid, ended, end });
  }

  #pipe(instance: string, name: PipeName, pipe: Socket | undefined): void {
    const named = this.#named.get(instance);
    if (named === undefined || pipe === undefined) return;
    pipe.on("error", () => {});
    named[name] = pipe;
    if (named.stdout !== undefined && named.stderr !== undefined) this.#over(instance)?.resolve(whole(named));
  }

  /** The guardian has gone: its members leave with it, and of their ends nothing is heard any more. */
  #orphaned(): void {
    for (const { reject } of this.#starting.values()) reject(new Error("the guardian has gone"));
    this.#starting.clear();
    this.#listed([]);
    for (const { end } of this.#named.values()) end({ code: null, signal: null });
  }

  #over(instance: string): Starting | undefined {
    const starting = this.#starting.get(instance);
    this.#starting.delete(instance);
    return starting;
  }
}

function whole({ start, pid, stdout, stderr, ended }: Named): KeptProcess {
  return { start, pid, stdout: stdout as Socket, stderr: stderr as Socket, ended };
}

/** @returns false when the guardian has gone, which closes our stdin too: that is what ends us */
function ask(order: ProcessOrder): boolean {
  if (process.connected) process.send?.(order, undefined, undefined, () => {});
  return process.connected;
}
