// Members as children of this process, with their pipes. Of the three the third is the lifeline: it is a member's stdin, and when
// this process is gone, however it went, the member leaves (STOP_WITH_STDIN), so that none is orphaned. A program of the user's knows
// of no lifeline: it is the first of a process group, which group-guard.ts ends.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import type { Writable } from "node:stream";
import { GroupGuard } from "./group-guard.ts";
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

/** Behind stdin, stdout and stderr. */
const GATE_FD = 3;
/** Begins nothing before it is told to: were we gone by then, nobody would end it. */
const GATED = 'read -r go <&3 || exit 1; exec 3<&-; exec /bin/sh -c "$0"';

export class OwnProcesses implements MemberProcesses {
  readonly #byInstance = new Map<string, Spawned>();
  readonly #groups = new GroupGuard();

  async kept(): Promise<readonly OwnProcess[]> {
    return [...this.#byInstance.values()];
  }

  async start(start: ProcessStart): Promise<OwnProcess> {
    const [out, err] = await Promise.all([pausedPipe(), pausedPipe()]);
    const child = spawned(start, [out.writing, err.writing]);
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
    for (const pipe of [child.stdin, child.stdio[GATE_FD]]) pipe?.on("error", () => {});
    const pid = child.pid as number;
    const isGroup = "command" in start.what;
    if (isGroup) this.#groups.add(pid);
    // Whoever waits at the gate is known to the guard by now.
    (child.stdio[GATE_FD] as Writable | null | undefined)?.end("go\n");
    const ended = exited.then(async ([code, signal]) => {
      if (isGroup) await this.#groups.emptied(pid);
      own.end = { code, signal };
      return own.end;
    });
    const own: Spawned = { start, child, pid, stdout: out.reading, stderr: err.reading, ended, end: undefined };
    this.#byInstance.set(start.instance, own);
    return own;
  }

  signal(instance: string, signal: NodeJS.Signals): void {
    const own = this.#byInstance.get(instance);
    if (own === undefined || own.end !== undefined) return;
    if ("command" in own.start.what) this.#groups.signal(own.pid, signal);
    else own.child.kill(signal);
  }

  forget(instance: string): void {
    const own = this.#byInstance.get(instance);
    if (own?.end === undefined) return;
    this.#byInstance.delete(instance);
    // Nobody reads here, so nothing else would ever close them; the watchdog has ends of its own.
    for (const pipe of [own.stdout, own.stderr]) pipe.destroy();
  }
}

function spawned({ what, environment: env }: ProcessStart, [out, err]: readonly [Socket, Socket]): ChildProcess {
  // A group of its own: Ctrl-C in a terminal does not reach it; the watchdog stops its members in order.
  const detached = true;
  if ("args" in what) return spawn(process.execPath, what.args, { env, stdio: ["pipe", out, err], detached });
  const { command, directory: cwd } = what;
  return spawn("/bin/sh", ["-c", GATED, command], { cwd, env, stdio: ["ignore", out, err, "pipe"], detached });
}
