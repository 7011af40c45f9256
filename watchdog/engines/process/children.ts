// The child processes of this watchdog, one a member, with all that each has said on its pipes. A child's stdin is its lifeline:
// when the watchdog is gone, however it went, the pipe closes and the child leaves (STOP_WITH_STDIN), so that none is orphaned.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { nowMs } from "../../../services/runtime/clock.ts";
import { inheritedEnvironment } from "../../../services/runtime/config.ts";
import { SMALL_NEW_SPACE } from "../../guardian/child.ts";
import { LineSplitter } from "../../rules/line-splitter.ts";
import type { MemberReport } from "../../rules/member-reports.ts";
import { ReportChannel } from "../../rules/report-channel.ts";
import type { EngineEvent, Life, Ports, Slot, Unheard } from "../discovery.ts";
import { readPaced } from "../paced-reading.ts";
import { newNonce, termsOf } from "../report-terms.ts";

/** In MiB, as in the image: by default requests under way let this part of a tier's heap grow to twice as much, for nothing. */
export const MEMBER_NEW_SPACE = "--max-semi-space-size=8";

export interface Child {
  readonly slot: Slot;
  readonly instance: string;
  readonly environment: Readonly<Record<string, string>>;
  spawned?: ChildProcess;
  startedMs?: number;
  ports?: Ports;
  unheard: Unheard;
  draining: boolean;
  /** The last lines it wrote, on stdout and stderr. */
  readonly lines: string[];
}

interface ChildrenParts {
  /** Started for each member. */
  readonly program: string;
  /** Takes what a member writes on stdout: whole lines with their ends, as many as came at once. */
  readonly passOn: (lines: string) => void;
}

/** Kept of each member's output, for the record of what it died of. */
const LINES_MAX = 200;

export class Children {
  readonly #parts: ChildrenParts;
  readonly #byInstance = new Map<string, Child>();
  #made = 0;
  /** Told of what happens to them. The engine is this process, and its clock is ours. */
  tell: (event: EngineEvent) => void = () => {};

  constructor(parts: ChildrenParts) {
    this.#parts = parts;
  }

  /** In the order in which they were made. */
  get all(): readonly Child[] {
    return [...this.#byInstance.values()];
  }

  get(instance: string): Child | undefined {
    return this.#byInstance.get(instance);
  }

  /** The children of a slot, oldest first: the last one fills it. */
  inSlot(slot: string): readonly Child[] {
    return this.all.filter((child) => child.slot.id === slot);
  }

  add(slot: Slot, environment: Readonly<Record<string, string>>): string {
    this.#made += 1;
    const instance = `${slot.id}#${this.#made}`;
    this.#byInstance.set(instance, {
      slot,
      instance,
      environment,
      unheard: { bytes: 0, reports: 0 },
      draining: false,
      lines: [],
    });
    return instance;
  }

  forget(instance: string): void {
    this.#byInstance.delete(instance);
  }

  async start(child: Child): Promise<void> {
    const options = process.execArgv.filter((option) => option !== SMALL_NEW_SPACE);
    const environment = inheritedEnvironment({ ...child.environment, REPORT_NONCE: newNonce() });
    const started = spawn(process.execPath, [MEMBER_NEW_SPACE, ...options, this.#parts.program], {
      env: environment,
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: Ctrl-C in a terminal reaches the watchdog alone, which stops its children in order.
      detached: true,
    });
    child.spawned = started;
    child.startedMs = nowMs();
    // A write to a child that has just died; its exit says the rest.
    started.stdin?.on("error", () => {});
    this.#readOut(child, started.stdout, environment);
    this.#readErr(child, started.stderr);
    started.once("exit", () => this.tell({ kind: "died", instance: child.instance, engineMs: nowMs() }));
    await once(started, "spawn");
  }

  #readOut(child: Child, stdout: Readable, environment: NodeJS.ProcessEnv): void {
    let lines: string[] = [];
    const { role } = child.slot;
    const channel = new ReportChannel({
      terms: termsOf({ role, environment, hostname: undefined }),
      onReport: (report) => this.#hear(child, report),
      onLine: (line) => lines.push(line.toString()),
    });
    const passOn = () => {
      if (lines.length === 0) return;
      this.#parts.passOn(`${lines.join("\n")}\n`);
      keep(child, lines);
      lines = [];
    };
    const take = (piece: Buffer) => {
      const ended = channel.push(piece, nowMs());
      child.unheard = channel.unheard;
      passOn();
      return ended;
    };
    void readPaced(stdout, take).then(() => {
      channel.end(nowMs());
      passOn();
    });
  }

  #readErr(child: Child, stderr: Readable): void {
    const splitter = new LineSplitter((line) => {
      const text = line.toString();
      process.stderr.write(`${text}\n`);
      keep(child, [text]);
    });
    void readPaced(stderr, (piece) => splitter.push(piece)).then(() => splitter.end());
  }

  #hear(child: Child, report: MemberReport): void {
    if (report.kind === "listening") child.ports = report.ports;
    if (report.kind === "draining") child.draining = true;
    const by = child.slot.id;
    this.tell(report.kind === "suspect" ? { kind: "suspected", slot: report.member, by } : { kind: "changed" });
  }
}

export function lifeOf({ spawned, startedMs }: Child): Life {
  if (spawned === undefined || startedMs === undefined) return { kind: "created" };
  const { exitCode, signalCode } = spawned;
  if (exitCode === null && signalCode === null) return { kind: "running", sinceMs: startedMs };
  const signal = signalCode === null ? {} : { signal: signalCode };
  return { kind: "exited", code: exitCode ?? undefined, oom: false, ...signal };
}

/** Asks it to stop, and kills it after the deadline, at once when that is 0. Resolves when it has ended. */
export async function end(child: Child | undefined, deadlineMs: number): Promise<void> {
  const running = child?.spawned;
  if (running?.pid === undefined || running.exitCode !== null || running.signalCode !== null) return;
  const exited = once(running, "exit");
  if (deadlineMs > 0) running.kill("SIGTERM");
  const timer = setTimeout(() => running.kill("SIGKILL"), deadlineMs);
  await exited;
  clearTimeout(timer);
}

function keep(child: Child, lines: readonly string[]): void {
  child.lines.push(...lines.slice(-LINES_MAX));
  child.lines.splice(0, child.lines.length - LINES_MAX);
}
