// The members of this watchdog, a process each, with all that each has said on its pipes. Whoever keeps the processes is their parent:
// where that is the guardian, a watchdog that begins finds those of the one before it.

import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { nowMs } from "../../../services/runtime/clock.ts";
import { inheritedEnvironment } from "../../../services/runtime/config.ts";
import type { Log } from "../../../services/runtime/log.ts";
import type { Role } from "../../../services/runtime/roles.ts";
import { reports, type Slot } from "../../desired/slot.ts";
import { SMALL_NEW_SPACE } from "../../guardian/child.ts";
import type {
  MemberProcess,
  MemberProcesses,
  ProcessEnd,
  ProcessStart,
} from "../../guardian/members/member-processes.ts";
import { LineSplitter } from "../../rules/line-splitter.ts";
import type { MemberReport } from "../../rules/member-reports.ts";
import { ReportChannel } from "../../rules/report-channel.ts";
import type { EngineEvent, Life, Ports, Unheard } from "../discovery.ts";
import { readPaced } from "../paced-reading.ts";
import { newNonce, termsOf } from "../report-terms.ts";
import type { OwnProgram } from "./own-program.ts";
import { ProgramOutput } from "./program-output.ts";

/**
 * For Node, as in the image. The new space of a heap, in MiB: by default requests under way let it grow to four times as much, for
 * nothing. And two threads beside Node's own, for garbage and for compiling, instead of four: each keeps what it once allocated.
 */
export const MEMBER_OPTIONS = ["--max-semi-space-size=4", "--v8-pool-size=2"] as const;

export interface Child {
  readonly slot: Slot;
  readonly instance: string;
  readonly environment: Readonly<Record<string, string>>;
  run?: Run;
  ports?: Ports;
  unheard: Unheard;
  draining: boolean;
  /** The last lines it wrote, on stdout and stderr. */
  readonly lines: string[];
}

/** A child's process. */
interface Run {
  readonly pid: number;
  readonly sinceMs: number;
  readonly ended: Promise<ProcessEnd>;
  /** Undefined: it runs. */
  end?: ProcessEnd;
}

interface ChildrenParts {
  readonly processes: MemberProcesses;
  /** Started for each member. */
  readonly program: string;
  /** Takes what a member writes on stdout: whole lines with their ends, as many as came at once. */
  readonly passOn: (lines: string) => void;
  /** What the servers are that are no samples of ours. */
  readonly own: OwnProgram | undefined;
  readonly log: Log;
}

/** Kept of each member's output, for the record of what it died of. */
const LINES_MAX = 200;
/** Of an instance's name: no other watchdog may ever give it again. */
const NAME_BYTES = 4;

export class Children {
  readonly #parts: ChildrenParts;
  readonly #byInstance = new Map<string, Child>();
  /** Told of what happens to them. The engine is this machine, and its clock is ours. */
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

  /** Takes over those that an earlier watchdog has started. @returns are there any? */
  async adopt(slots: readonly Slot[]): Promise<boolean> {
    const kept = await this.#parts.processes.kept();
    for (const { start, ...process } of kept) {
      const slot = slots.find(({ id }) => id === start.slot);
      if (slot === undefined) continue;
      const child = newChild(slot, start.instance, {});
      this.#byInstance.set(child.instance, child);
      if (!reports(slot)) this.#parts.own?.adopt(child.instance, start.environment);
      this.#attend(child, { process, sinceMs: start.sinceMs, environment: start.environment });
    }
    return kept.length > 0;
  }

  add(slot: Slot, environment: Readonly<Record<string, string>>): string {
    const instance = `${slot.id}#${randomBytes(NAME_BYTES).toString("hex")}`;
    this.#byInstance.set(instance, newChild(slot, instance, environment));
    return instance;
  }

  forget(instance: string): void {
    if (this.#byInstance.get(instance)?.run !== undefined) this.#parts.processes.forget(instance);
    this.#byInstance.delete(instance);
    this.#parts.own?.forget(instance);
  }

  async start(child: Child): Promise<void> {
    const { instance, slot } = child;
    const { own, processes } = this.#parts;
    const isOwn = own !== undefined && !reports(slot);
    const { what, environment } = isOwn ? await own.start(instance, slot.id) : this.#startOf(child);
    const sinceMs = nowMs();
    const started = await processes.start({ instance, slot: slot.id, sinceMs, what, environment });
    this.#attend(child, { process: started, sinceMs, environment });
  }

  #startOf({ environment }: Child): Pick<ProcessStart, "what" | "environment"> {
    const options = process.execArgv.filter((option) => option !== SMALL_NEW_SPACE);
    return {
      what: { args: [...MEMBER_OPTIONS, ...options, this.#parts.program] },
      environment: inheritedEnvironment({ ...environment, REPORT_NONCE: newNonce() }),
    };
  }

  /** Asks it to stop, and kills it after the deadline, at once when that is 0. Resolves when it has ended. */
  async end(child: Child | undefined, deadlineMs: number): Promise<void> {
    if (child?.run === undefined || child.run.end !== undefined) return;
    const { instance, run } = child;
    const signal = (name: NodeJS.Signals) => this.#parts.processes.signal(instance, name);
    if (deadlineMs > 0) signal("SIGTERM");
    const timer = setTimeout(() => signal("SIGKILL"), deadlineMs);
    await run.ended;
    clearTimeout(timer);
  }

  #attend(child: Child, { process, sinceMs, environment }: Attended): void {
    const { pid, stdout, stderr } = process;
    const run: Run = { pid, sinceMs, ended: process.ended.then((end) => this.#ended(child, end)) };
    child.run = run;
    if (reports(child.slot)) {
      this.#readOut(child, stdout, environment);
      this.#readErr(child, stderr);
    } else {
      this.#readOutput(child, "stdout", stdout);
      this.#readOutput(child, "stderr", stderr);
    }
  }

  /** Of a program that is not ours: whatever it writes, it is no report. */
  #readOutput(child: Child, stream: "stdout" | "stderr", output: Readable): void {
    const logged = new ProgramOutput((line) => this.#parts.log("output", { slot: child.slot.id, stream, ...line }));
    const splitter = new LineSplitter((bytes) => {
      const line = bytes.toString();
      logged.push(line, nowMs());
      keep(child, [line]);
    });
    void readPaced(output, (piece) => splitter.push(piece)).then(() => splitter.end());
  }

  #ended(child: Child, end: ProcessEnd): ProcessEnd {
    if (child.run !== undefined) child.run.end = end;
    this.tell({ kind: "died", instance: child.instance, engineMs: nowMs() });
    return end;
  }

  #readOut(child: Child, stdout: Readable, environment: NodeJS.ProcessEnv): void {
    let lines: string[] = [];
    // Whoever is started here is a program of ours.
    const role = child.slot.role as Role;
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

interface Attended {
  readonly process: MemberProcess;
  readonly sinceMs: number;
  /** What it was started with. */
  readonly environment: NodeJS.ProcessEnv;
}

export function lifeOf({ run }: Child): Life {
  if (run === undefined) return { kind: "created" };
  if (run.end === undefined) return { kind: "running", sinceMs: run.sinceMs };
  const { code, signal } = run.end;
  return { kind: "exited", code: code ?? undefined, oom: false, ...(signal === null ? {} : { signal }) };
}

function newChild(slot: Slot, instance: string, environment: Readonly<Record<string, string>>): Child {
  return { slot, instance, environment, unheard: { bytes: 0, reports: 0 }, draining: false, lines: [] };
}

function keep(child: Child, lines: readonly string[]): void {
  child.lines.push(...lines.slice(-LINES_MAX));
  child.lines.splice(0, child.lines.length - LINES_MAX);
}
