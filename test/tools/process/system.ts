// The whole system without Docker: a guardian, its watchdog and the members as that one's children, on free ports, with a
// registry of its own. Every process of it is found by what it says on the watchdog's stdout, and is gone when its scope is over.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RegistryMember } from "../../../services/registry/document.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../ports.ts";
import { temporaryDirectory } from "../registry.ts";
import { inReverse, type Scope } from "../scope.ts";
import { exists } from "./pids.ts";
import { type Running, run } from "./run.ts";

const TIERS = 3;
const SERVERS = 6;
const SERVES_WITHIN_MS = 30_000;

interface Whereabouts {
  readonly balancerPort: number;
  readonly watchdogPort: number;
  readonly registryFile: string;
  /** Six, unless said otherwise. */
  readonly servers?: number;
}

export class ProcessSystem {
  readonly balancerPort: number;
  readonly watchdogPort: number;
  readonly registryFile: string;
  readonly #watchdog: Running;
  readonly #members: number;

  constructor(watchdog: Running, { balancerPort, watchdogPort, registryFile, servers = SERVERS }: Whereabouts) {
    this.#members = TIERS + servers;
    this.balancerPort = balancerPort;
    this.watchdogPort = watchdogPort;
    this.#watchdog = watchdog;
    this.registryFile = registryFile;
  }

  /** The pid of the watchdog and of each member, the latest where there were several. */
  get pids(): ReadonlyMap<string, number> {
    return new Map(this.#listened.map(({ id, pid }) => [id, pid]));
  }

  pid(id: string): number {
    return this.pids.get(id) as number;
  }

  /** The guardian's pid. */
  get guardian(): number {
    return this.#watchdog.child.pid as number;
  }

  /** Of all processes that ever were this member, or any: those that there still are. */
  alive(id?: string): number[] {
    const asked = this.#listened.filter((line) => id === undefined || line.id === id);
    return asked.map(({ pid }) => pid).filter(exists);
  }

  /** The roles of those that have said that they stopped, in that order. */
  get stopped(): unknown[] {
    return this.#watchdog.events.filter(({ event }) => event === "stopped").map(({ role }) => role);
  }

  async members(): Promise<readonly RegistryMember[]> {
    const text = await readFile(this.registryFile, "utf8").catch(() => '{"members":[]}');
    return (JSON.parse(text) as { members: RegistryMember[] }).members;
  }

  async member(id: string): Promise<RegistryMember | undefined> {
    return (await this.members()).find((member) => member.id === id);
  }

  /** Signals a member's process, and waits until its slot is filled anew, the new member serves and has said its pid. */
  async healsAfter(signal: NodeJS.Signals, id: string): Promise<RegistryMember> {
    const before = (await this.member(id))?.generation ?? 0;
    const pid = this.pid(id);
    process.kill(pid, signal);
    const healed = async () => {
      const member = await this.member(id);
      // A program's own first line may come after the registry that says that it serves.
      if (this.pid(id) === pid) return undefined;
      return member?.state === "serving" && (member.generation ?? 0) > before ? member : undefined;
    };
    return eventually(`${id} serves again`, healed, SERVES_WITHIN_MS);
  }

  async serves(): Promise<void> {
    const all = async () => {
      const members = await this.members();
      return members.length === this.#members && members.every(({ state }) => state === "serving");
    };
    await eventually("every member serves", all, SERVES_WITHIN_MS);
  }

  /** Does something to the watchdog, and waits until the next one says that all serve. */
  async respawnsAfter(act: () => void): Promise<void> {
    const count = () => this.#readiness.length;
    // The registry says that all serve a moment before the watchdog says that it is ready.
    await eventually("this watchdog is ready", () => count() > this.respawns.length, SERVES_WITHIN_MS);
    const before = count();
    act();
    await eventually("the next watchdog is ready", () => count() > before, SERVES_WITHIN_MS);
    await this.serves();
  }

  /** Why the guardian started another watchdog, for each that it did. */
  get respawns(): unknown[] {
    return this.#watchdog.events.filter(({ event }) => event === "watchdog-respawned").map(({ reason }) => reason);
  }

  /** Signals the guardian; resolves with its exit code when it has ended, null when the signal ended it. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = this.ended();
    this.#watchdog.child.kill(signal);
    return ended;
  }

  /** The guardian's exit code, once it has ended. */
  async ended(): Promise<number | null> {
    const [code] = (await once(this.#watchdog.child, "exit")) as [number | null];
    return code;
  }

  /** The lines that programs of the user's wrote, with their slots. */
  get output(): readonly { slot: string; line: string }[] {
    const lines = this.#watchdog.events.filter(({ event }) => event === "output");
    return lines as unknown as readonly { slot: string; line: string }[];
  }

  /** How many lines the watchdog and its members have said. */
  get said(): number {
    return this.#watchdog.events.length;
  }

  get #readiness(): readonly unknown[] {
    return this.#watchdog.events.filter(({ event, role }) => event === "ready" && role === "watchdog");
  }

  get #listened(): { id: string; pid: number }[] {
    const lines = this.#watchdog.events as readonly { event: string; id?: string; pid?: number }[];
    const members = lines.flatMap(({ event, id, pid }) => (event === "listening" && id && pid ? [{ id, pid }] : []));
    // A program that is not ours is none of our members by its own word; the tests' own says its pid.
    const programs = this.output.flatMap(({ slot, line }) => {
      const [, pid] = /^pid (\d+)$/.exec(line) ?? [];
      return pid === undefined ? [] : [{ id: slot, pid: Number(pid) }];
    });
    return [...members, ...programs];
  }
}

/** A system of which every member serves. @param settings more of them, by name. @param parameters the program's arguments */
export async function startSystem(
  outer: Scope,
  settings: Readonly<Record<string, string>> = {},
  parameters: readonly string[] = [],
): Promise<ProcessSystem> {
  const scope = inReverse(outer);
  const registryFile = join(await temporaryDirectory(scope), "registry.json");
  const [balancerPort, watchdogPort] = [await freePort(), await freePort()];
  const environment = {
    ROLE: "watchdog",
    ENGINE: "process",
    HOST: "127.0.0.1",
    BALANCER_PORT: String(balancerPort),
    WATCHDOG_PORT: String(watchdogPort),
    REGISTRY_FILE: registryFile,
    ...settings,
  };
  const watchdog = run(scope, "main", environment, parameters);
  const servers = parameters.includes("--servers") ? Number(parameters[parameters.indexOf("--servers") + 1]) : SERVERS;
  const system = new ProcessSystem(watchdog, { balancerPort, watchdogPort, registryFile, servers });
  scope.after(async () => {
    watchdog.child.kill("SIGKILL");
    for (const pid of system.alive()) process.kill(pid, "SIGKILL");
    await watchdog.ended;
  });
  await system.serves();
  return system;
}
