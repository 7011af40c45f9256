// The engine seam on plain child processes. A child's stdin is its lifeline: when the watchdog is gone, however it went,
// the pipe closes and the child leaves (STOP_WITH_STDIN), so that nothing is orphaned.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { inheritedEnvironment, type Settings } from "../../../services/runtime/config.ts";
import { assertFree } from "../../../services/runtime/ports.ts";
import { trafficRoles } from "../../../services/runtime/roles.ts";
import { writeOut } from "../../../services/runtime/stdout.ts";
import { topology } from "../../desired/topology.ts";
import { SMALL_NEW_SPACE } from "../../guardian/child.ts";
import { parseReport } from "../../rules/member-reports.ts";
import type { EngineEvent } from "../../rules/stop-intent.ts";
import type { Engine, Found, Life, Ports, Slot, Wanted } from "../engine.ts";

type PassOn = (line: string) => void;

interface Member {
  readonly slot: Slot;
  readonly instance: string;
  readonly environment: Readonly<Record<string, string>>;
  child?: ChildProcess;
  startedMs?: number;
  ports?: Ports;
  draining: boolean;
  /** The last lines it wrote, on stdout and stderr. */
  readonly lines: string[];
}

/** Kept of each member's output, for the record of what it died of. */
const LINES_MAX = 200;
const LINE_LENGTH_MAX = 16_384;

interface Options {
  /** What each member is started from; the one that runs here, unless said otherwise. */
  readonly program?: string;
  /** Takes each line that a member writes on stdout, with its end. */
  readonly passOn?: PassOn;
}

/** @throws StartupFailure when the balancer's port is taken, before anything is started */
export async function openProcessEngine(settings: Settings, options: Options = {}): Promise<Engine> {
  await assertFree(settings.HOST, { candidates: [settings.BALANCER_PORT], setting: "BALANCER_PORT" });
  return new ProcessEngine(settings, options);
}

class ProcessEngine implements Engine {
  readonly self = undefined;
  readonly project = undefined;
  readonly membersStay = false;
  readonly #settings: Settings;
  readonly #program: string;
  readonly #passOn: PassOn;
  readonly #members = new Map<string, Member>();
  #made = 0;
  #tell: (event: EngineEvent) => void = () => {};

  constructor(settings: Settings, { program = process.argv[1] as string, passOn = writeOut }: Options) {
    this.#settings = settings;
    this.#program = program;
    this.#passOn = passOn;
  }

  async slots(): Promise<readonly Slot[]> {
    return topology();
  }

  async list(): Promise<readonly Found[]> {
    const bySlot = new Map<string, Member[]>();
    for (const member of this.#members.values()) {
      bySlot.set(member.slot.id, [...(bySlot.get(member.slot.id) ?? []), member]);
    }
    return Array.from(bySlot.values(), (members) => this.#found(members.at(-1) as Member, members.at(-2)));
  }

  /** Members look for a free port by themselves: there is none to move. */
  async create(slot: Slot, { environment }: Wanted): Promise<string> {
    this.#made += 1;
    const instance = `${slot.id}#${this.#made}`;
    this.#members.set(instance, { slot, instance, environment, draining: false, lines: [] });
    return instance;
  }

  async start(instance: string): Promise<void> {
    const member = this.#get(instance);
    const options = process.execArgv.filter((option) => option !== SMALL_NEW_SPACE);
    const child = spawn(process.execPath, [...options, this.#program], {
      env: inheritedEnvironment({ ...member.environment, ...this.#environmentOf(member.slot) }),
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: Ctrl-C in a terminal reaches the watchdog alone, which stops its children in order.
      detached: true,
    });
    member.child = child;
    member.startedMs = Date.now();
    // A write to a child that has just died; its exit says the rest.
    child.stdin?.on("error", () => {});
    createInterface({ input: child.stdout }).on("line", (line) => this.#hear(member, line));
    createInterface({ input: child.stderr }).on("line", (line) => {
      process.stderr.write(`${line}\n`);
      keep(member, line);
    });
    child.once("exit", () => this.#tell({ kind: "died", instance, engineMs: Date.now() }));
    await once(child, "spawn");
  }

  async stop(instance: string, deadlineMs: number): Promise<void> {
    await end(this.#members.get(instance)?.child, deadlineMs);
  }

  async remove(instance: string): Promise<void> {
    await end(this.#members.get(instance)?.child, 0);
    this.#members.delete(instance);
  }

  async settle(slot: string, deadlineMs: number): Promise<void> {
    const previous = [...this.#members.values()].filter((member) => member.slot.id === slot).slice(0, -1);
    await Promise.all(previous.map(({ child }) => end(child, deadlineMs)));
    for (const { instance } of previous) this.#members.delete(instance);
  }

  async lastLines(instance: string, count: number): Promise<readonly string[]> {
    return this.#members.get(instance)?.lines.slice(-count) ?? [];
  }

  async watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void> {
    this.#tell = onEvent;
    stop.addEventListener("abort", () => {
      this.#tell = () => {};
    });
  }

  /** Drains the balancer first, so that what is in flight still finds proxies and servers; then the proxies, then the servers. */
  async close(): Promise<void> {
    for (const role of trafficRoles) {
      const members = [...this.#members.values()].filter(({ slot }) => slot.role === role);
      // A little more than a member's own limit, so that it is the member that cuts, and says so.
      const deadlineMs = this.#settings.DRAIN_TIMEOUT_MS + 1_000;
      await Promise.all(members.map(({ child }) => end(child, deadlineMs)));
    }
  }

  #environmentOf({ id, role, group }: Slot): Record<string, string> {
    const { HOST, REGISTRY_FILE, BALANCER_PORT } = this.#settings;
    return {
      ROLE: role,
      ID: id,
      HOST,
      REGISTRY_FILE,
      STOP_WITH_STDIN: "yes",
      GROUP: group ?? "",
      PORT: role === "balancer" ? String(BALANCER_PORT) : "",
      ADMIN_PORT: "",
      // The watchdog's own secrets.
      NOTIFY_URL: "",
      API_TOKEN: "",
    };
  }

  #hear(member: Member, line: string): void {
    this.#passOn(`${line}\n`);
    keep(member, line);
    const report = parseReport(line);
    if (report === undefined) return;
    if (report.kind === "listening") member.ports = report.ports;
    if (report.kind === "draining") member.draining = true;
    this.#tell(report.kind === "suspect" ? { kind: "suspected", slot: report.member } : { kind: "changed" });
  }

  #found(member: Member, previous: Member | undefined): Found {
    const { slot, instance, ports, draining, child } = member;
    return {
      slot: slot.id,
      instance,
      ours: true,
      host: this.#settings.HOST,
      life: lifeOf(member),
      draining,
      unhealthy: false,
      stranded: false,
      // All find a port of their own, but for the balancer.
      overlaps: slot.role !== "balancer",
      ...(previous === undefined ? {} : { succeeds: previous.instance }),
      ...(child?.pid === undefined ? {} : { pid: child.pid }),
      ...(ports === undefined ? {} : { ports }),
    };
  }

  #get(instance: string): Member {
    const member = this.#members.get(instance);
    if (member === undefined) throw new Error(`no member ${instance}`);
    return member;
  }
}

function keep({ lines }: Member, line: string): void {
  lines.push(line.slice(0, LINE_LENGTH_MAX));
  if (lines.length > LINES_MAX) lines.shift();
}

function lifeOf({ child, startedMs }: Member): Life {
  if (child === undefined || startedMs === undefined) return { kind: "created" };
  if (child.exitCode === null && child.signalCode === null) return { kind: "running", sinceMs: startedMs };
  const { exitCode, signalCode } = child;
  return {
    kind: "exited",
    code: exitCode ?? undefined,
    oom: false,
    ...(signalCode === null ? {} : { signal: signalCode }),
  };
}

async function end(child: ChildProcess | undefined, deadlineMs: number): Promise<void> {
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  if (deadlineMs > 0) child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
  await exited;
  clearTimeout(timer);
}
