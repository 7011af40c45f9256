// The processes that the bench starts: each is known by its pid, ends when it is told to, and is killed if it does not. Whatever
// ends the bench itself ends them too. Knows nothing of what they do.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { HOST } from "../../test/tools/ports.ts";

const START_MS_MAX = 20_000;
const STOP_MS_MAX = 5_000;
const POLL_INTERVAL_MS = 20;
const STDERR_CHARACTERS_MAX = 4_000;

export interface Command {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it will listen. */
  readonly port: number;
}

export interface Child {
  readonly pid: number;
  readonly port: number;
  readonly process: ChildProcess;
  /** The beginning of what it said on stderr. */
  readonly stderr: () => string;
}

export class Children {
  readonly #running = new Set<Child>();
  #over = false;
  /** All pids ever started, so that a reader of the report can see that none is left. */
  readonly pids: number[] = [];

  constructor() {
    process.once("exit", () => {
      for (const child of this.#running) killTree(child.pid);
    });
  }

  /** Starts a program and waits until its port takes connections. Rejects with its stderr when it ends instead. */
  async start(command: Command): Promise<Child> {
    const child = this.#spawn(command);
    child.process.stdout?.resume();
    const deadlineMs = performance.now() + START_MS_MAX;
    while (!(await takesConnections(command.port))) {
      const { exitCode, signalCode } = child.process;
      const over = exitCode !== null || signalCode !== null;
      if (over || performance.now() > deadlineMs) {
        const fate = over ? `ended with ${exitCode ?? signalCode}` : `does not listen on ${command.port}`;
        throw new Error(`${command.program} ${fate}\n${child.stderr()}`);
      }
      await delay(POLL_INTERVAL_MS);
    }
    return child;
  }

  /** Runs a program to its end, and returns what it said on stdout. Rejects when it fails or takes longer than `limitMs`. */
  async run(command: Omit<Command, "port">, limitMs: number): Promise<string> {
    const child = this.#spawn({ ...command, port: 0 });
    const timer = setTimeout(() => killTree(child.pid), limitMs);
    const [stdout] = await Promise.all([text(child.process.stdout as Readable), once(child.process, "close")]);
    clearTimeout(timer);
    this.#running.delete(child);
    if (child.process.exitCode === 0) return stdout;
    throw new Error(`${command.program} ended with ${child.process.exitCode}: ${child.stderr()}${stdout}`);
  }

  async stop(children: readonly Child[]): Promise<void> {
    await Promise.all(
      children.map(async (child) => {
        await ended(child);
        this.#running.delete(child);
      }),
    );
  }

  /** From now on nothing starts any more. */
  async stopAll(): Promise<void> {
    this.#over = true;
    await this.stop([...this.#running]);
  }

  #spawn({ program, parameters, environment = {}, port }: Command): Child {
    if (this.#over) throw new Error(`${program} is not started: the bench is stopping`);
    // A pipe for stdin: what heeds it ends with the bench, even one that is killed.
    const child = spawn(program, parameters, {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stderr = "";
    child.stdin.on("error", () => {});
    child.on("error", (error) => {
      stderr += error.message;
    });
    child.stderr.on("data", (chunk: Buffer) => {
      if (stderr.length < STDERR_CHARACTERS_MAX) stderr += chunk.toString();
    });
    if (child.pid === undefined) throw new Error(`${program} does not start`);
    const made: Child = { pid: child.pid, port, process: child, stderr: () => stderr };
    this.#running.add(made);
    this.pids.push(made.pid);
    return made;
  }
}

/** A process and its descendants, as far as /proc shows them. */
export function familyOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
    return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
  } catch {
    return [pid];
  }
}

async function ended({ pid, process: child }: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => killTree(pid), STOP_MS_MAX);
  await over;
  clearTimeout(timer);
}

/** The children first: a killed parent has no chance to end them. */
function killTree(pid: number): void {
  for (const each of familyOf(pid).reverse()) {
    try {
      process.kill(each, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
