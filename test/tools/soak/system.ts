// What is soaked: one balancer, two proxies and four servers as real processes, and the registry that the soak itself
// writes. Each collects its garbage when told to (SIGUSR2), so that heaps can be compared.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type RegistryMember, writeRegistry } from "../../../services/registry/document.ts";
import { HOST } from "../ports.ts";
import { type MemberProcess, startMember } from "../process/run.ts";
import { registry, temporaryDirectory } from "../registry.ts";
import { inReverse, type Scope } from "../scope.ts";

/** Loaded into a process: it collects its garbage when told to. */
export const COLLECTS = `
  import { setFlagsFromString } from "node:v8";
  import { runInNewContext } from "node:vm";
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  process.on("SIGUSR2", () => collect());`;
const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(COLLECTS)}`;

export interface Running extends MemberProcess {
  readonly id: string;
  readonly role: "balancer" | "proxy" | "server";
  readonly group: string;
}

export class System {
  readonly #registryFile: string;
  readonly #members: readonly Running[];
  #version = 0;

  private constructor(registryFile: string, members: readonly Running[]) {
    this.#registryFile = registryFile;
    this.#members = members;
  }

  static async start(outer: Scope): Promise<System> {
    const scope = inReverse(outer);
    const REGISTRY_FILE = join(await temporaryDirectory(scope), "registry.json");
    const start = async (role: Running["role"], id: string, group: string): Promise<Running> => {
      const program = role === "server" ? "test/tools/soak/server" : "main";
      const settings = { ROLE: role, ID: id, GROUP: group, REGISTRY_FILE, STOP_WITH_STDIN: "yes", NODE_OPTIONS };
      const running = await startMember(scope, settings, program);
      running.child.stderr?.pipe(process.stderr);
      return { ...running, id, role, group };
    };
    const starts = [
      ...[1, 2, 3, 4].map((number) => start("server", `server-${number}`, String(Math.ceil(number / 2)))),
      ...[1, 2].map((number) => start("proxy", `proxy-${number}`, String(number))),
      start("balancer", "balancer", "1"),
    ];
    return new System(REGISTRY_FILE, await Promise.all(starts));
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
    await writeRegistry(this.#registryFile, registry(version, members.map(change)));
    await Promise.all(this.tiers.map((tier) => tier.event("registry-adopted", { version })));
  }
}

const DUMMY = "server-9";

export async function openFiles({ child }: Running): Promise<number> {
  return (await readdir(`/proc/${child.pid}/fd`)).length;
}
