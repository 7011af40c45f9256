// What is soaked: one balancer, two proxies and four servers as real processes, and the registry that the soak itself
// writes. The tiers collect their garbage when told to (SIGUSR2), so that their heaps can be compared.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type RegistryMember, writeRegistry } from "../../../services/registry/document.ts";
import { eventually } from "../eventually.ts";

const MAIN = fileURLToPath(new URL("../../../dist/services/main.js", import.meta.url));
const SERVER = fileURLToPath(new URL("./server.ts", import.meta.url));
const COLLECT = `data:text/javascript,${encodeURIComponent('process.on("SIGUSR2", () => gc())')}`;
const HOST = "127.0.0.1";
const START_MS_MAX = 30_000;
const ADOPT_MS_MAX = 10_000;

export interface Running {
  readonly id: string;
  readonly role: "balancer" | "proxy" | "server";
  readonly group: string;
  readonly child: ChildProcess;
  port: number;
  adminPort: number;
  /** Of the registry that it follows; a server follows none. */
  adopted: number;
}

export class System {
  readonly #directory: string;
  readonly #members: Running[] = [];
  #version = 0;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async start(): Promise<System> {
    const system = new System(await mkdtemp(join(tmpdir(), "evenkeel-soak-")));
    for (const number of [1, 2, 3, 4]) system.#spawn("server", `server-${number}`, String(Math.ceil(number / 2)));
    for (const number of [1, 2]) system.#spawn("proxy", `proxy-${number}`, String(number));
    system.#spawn("balancer", "balancer", "1");
    await eventually("all listen", () => system.#members.every(({ port }) => port > 0), START_MS_MAX);
    return system;
  }

  get members(): readonly Running[] {
    return this.#members;
  }

  get tiers(): readonly Running[] {
    return this.#members.filter(({ role }) => role !== "server");
  }

  get port(): number {
    return (this.#members.at(-1) as Running).port;
  }

  get version(): number {
    return this.#version;
  }

  /** Everybody serves, and nobody is who they were: every connection between tiers that is idle is let go of. */
  async renew(): Promise<void> {
    await this.#publish((member) => ({ ...member, generation: this.#version }));
  }

  /**
   * One swap: other weights, one server of each group or one proxy draining, and one member that is filled anew each time.
   * Somebody serves in every group throughout.
   */
  async swap(): Promise<void> {
    const turn = this.#version;
    await this.#publish((member, index) => ({
      ...member,
      weight: 1 + ((turn + index) % 3),
      state: member.id !== DUMMY && (turn + index) % 9 === 0 ? "draining" : "serving",
      ...(member.id === DUMMY ? { generation: turn, state: turn % 2 === 0 ? "serving" : "draining" } : {}),
    }));
  }

  async stop(): Promise<void> {
    const running = this.#members.filter(({ child }) => child.exitCode === null && child.signalCode === null);
    await Promise.all(
      running.map(({ child }) => {
        const exited = once(child, "exit");
        child.kill("SIGKILL");
        return exited;
      }),
    );
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#directory, "registry.json");
  }

  #spawn(role: Running["role"], id: string, group: string): void {
    const program = role === "server" ? ["--import", "tsx", SERVER] : [MAIN];
    const child = spawn(process.execPath, ["--expose-gc", "--import", COLLECT, ...program], {
      env: {
        PATH: process.env.PATH,
        ROLE: role,
        ID: id,
        GROUP: group,
        PORT: "0",
        ADMIN_PORT: "0",
        REGISTRY_FILE: this.#file,
        STOP_WITH_STDIN: "yes",
      },
      stdio: ["pipe", "pipe", "inherit"],
    });
    const member: Running = { id, role, group, child, port: 0, adminPort: 0, adopted: 0 };
    this.#members.push(member);
    createInterface({ input: child.stdout }).on("line", (line) => hear(member, line));
  }

  /** Writes the next registry, and returns when both tiers have taken it over. */
  async #publish(change: (member: RegistryMember, index: number) => RegistryMember): Promise<void> {
    this.#version += 1;
    const version = this.#version;
    const routed = this.#members.filter(({ role }) => role !== "balancer");
    const members = routed.map(({ id, role, group, port, adminPort }): RegistryMember => {
      return { id, role, group, host: HOST, port, adminPort, state: "serving" };
    });
    // It shares the first server's port, so that whoever asks it is answered.
    members.push({ ...(members[0] as RegistryMember), id: DUMMY });
    const document = { schema: 1, version, writtenAt: new Date().toISOString(), members: members.map(change) } as const;
    await writeRegistry(this.#file, document);
    const adopted = () => this.tiers.every((tier) => tier.adopted >= version);
    await eventually(`version ${version} is adopted`, adopted, ADOPT_MS_MAX);
  }
}

const DUMMY = "server-9";

function hear(member: Running, line: string): void {
  const { event, port, adminPort, version } = JSON.parse(line) as Record<string, unknown>;
  if (event === "listening") Object.assign(member, { port, adminPort });
  if (event === "registry-adopted") member.adopted = version as number;
}

export async function openFiles({ child }: Running): Promise<number> {
  return (await readdir(`/proc/${child.pid}/fd`)).length;
}
