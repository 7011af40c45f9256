// Members as children of this process, with their pipes. Of the three the third is the lifeline: it is a member's stdin, and when
// this process is gone, however it went, the member leaves (STOP_WITH_STDIN), so that none is orphaned.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { KeptProcess, MemberProcesses, ProcessEnd, ProcessStart } from "./member-processes.ts";
import { pausedPipe } from "./paused-pipe.ts";

export interface OwnProcess extends KeptProcess {
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** Undefined: it runs. */
  readonly end: ProcessEnd | undefined;
}

interface Spawned extends OwnProcess {
  readonly child: ChildProcess;
  end: ProcessEnd | undefined;
}

export class OwnProcesses implements MemberProcesses {
  readonly #byInstance = new Map<string, Spawned>();

  async kept(): Promise<readonly OwnProcess[]> {
    return [...this.#byInstance.values()];
  }

  async start(start: ProcessStart): Promise<OwnProcess> {
    const [out, err] = await Promise.all([pausedPipe(), pausedPipe()]);
    const child = spawn(process.execPath, start.args, {
      env: start.environment,
      stdio: ["pipe", out.writing, err.writing],
      // A group of its own: Ctrl-C in a terminal does not reach it; the watchdog stops its members in order.
      detached: true,
    });
    const exited = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
    exited.catch(() => {});
    // The child has ends of its own by now.
    for (const { writing } of [out, err]) writing.destroy();
    for (const { reading } of [out, err]) reading.on("error", () => {});
    try {
      await once(child, "spawn");
    } catch (error) {
      for (const { reading } of [out, err]) reading.destroy();
      throw error;
    }
    // A write to one that has just died; its exit says the rest.
    child.stdin?.on("error", () => {});
    const ended = exited.then(([code, signal]) => {
      spawned.end = { code, signal };
      return spawned.end;
    });
    const pid = child.pid as number;
    const spawned: Spawned = { start, child, pid, stdout: out.reading, stderr: err.reading, ended, end: undefined };
    this.#byInstance.set(start.instance, spawned);
    return spawned;
  }

  signal(instance: string, signal: NodeJS.Signals): void {
    this.#byInstance.get(instance)?.child.kill(signal);
  }

  forget(instance: string): void {
    const spawned = this.#byInstance.get(instance);
    if (spawned?.end === undefined) return;
    this.#byInstance.delete(instance);
  }
}
