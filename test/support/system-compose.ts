// The whole system on a real engine: this checkout's docker-compose.yml as a Compose project of its own, with its two
// published ports on free ones. Touches nothing but that project, and leaves nothing of it.

import { execFile } from "node:child_process";
import { ask } from "./ask.ts";
import { docker, repository } from "./docker.ts";
import { eventually, within } from "./eventually.ts";
import { freePort } from "./ports.ts";
import type { Scope } from "./scope.ts";

// Its own, so that two runs on one engine do not meet.
const PROJECT = `evenkeel-test-${process.pid}`;
const LABEL = `label=com.docker.compose.project=${PROJECT}`;
const COMMAND_ENDS_WITHIN_MS = 300_000;
const ANSWERS_WITHIN_MS = 5_000;
const HEALS_WITHIN_MS = 60_000;

/** What a command said and how it ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One slot as the watchdog's /api/state shows it. */
interface Row {
  readonly slot: string;
  readonly life: string;
  readonly state: string;
  readonly generation: number | null;
}

/** One container of the project. */
export interface Container {
  readonly Id: string;
  readonly Name: string;
  readonly State: { readonly Status: string; readonly StartedAt: string };
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
}

interface Parts {
  readonly balancerPort: number;
  readonly watchdogPort: number;
  /** A Compose file that is read on top of the checkout's own. */
  readonly override: string | undefined;
}

export class ComposeSystem {
  readonly balancerPort: number;
  readonly watchdogPort: number;
  readonly #files: readonly string[];

  constructor({ balancerPort, watchdogPort, override }: Parts) {
    this.balancerPort = balancerPort;
    this.watchdogPort = watchdogPort;
    this.#files = override === undefined ? [] : ["-f", "docker-compose.yml", "-f", override];
  }

  /** `docker compose ...` in this project. Never rejects: how it ended is the caller's to judge. */
  compose(...parameters: readonly string[]): Promise<Said> {
    const ports = { BALANCER_PORT: String(this.balancerPort), WATCHDOG_PORT: String(this.watchdogPort) };
    const options = { cwd: repository, env: { ...process.env, ...ports }, timeout: COMMAND_ENDS_WITHIN_MS };
    return new Promise((resolve) => {
      execFile(
        "docker",
        ["compose", ...this.#files, "-p", PROJECT, ...parameters],
        options,
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr });
        },
      );
    });
  }

  /** The same, for commands that are means to an end. @throws with what it said when it fails */
  async must(...parameters: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.compose(...parameters);
    if (code !== 0) throw new Error(`docker compose ${parameters.join(" ")} ended with ${code}: ${stderr}`);
    return stdout;
  }

  /** Signals the member's own process from inside its container, whose process 1 only passes signals on. */
  async signal(service: string, signal: string): Promise<void> {
    await this.must("exec", "-T", service, "sh", "-c", `kill -${signal} $(cat /proc/1/task/1/children)`);
  }

  /** The slots by id, or none while no watchdog answers. */
  async rows(): Promise<ReadonlyMap<string, Row>> {
    const reply = await within(ANSWERS_WITHIN_MS, "the state", this.watchdog("/api/state")).catch(() => undefined);
    // One that stands by, for a moment after its start, knows none either.
    const { slots = [] } = JSON.parse(reply ?? "{}") as { slots?: Row[] };
    return new Map(slots.map((row) => [row.slot, row]));
  }

  async watchdog(path: string): Promise<string> {
    return (await ask(this.watchdogPort, { path })).body;
  }

  /** Does something to a member, and waits until its slot is filled anew and the new member serves. */
  async healsAfter(slot: string, act: () => Promise<unknown>): Promise<void> {
    const before = (await this.rows()).get(slot)?.generation ?? 0;
    await act();
    const healed = (row: Row) => row.state === "serving" && (row.generation ?? 0) > before;
    await this.shows(slot, "serving anew", healed);
  }

  /** Waits until the watchdog shows a slot so. */
  async shows(slot: string, what: string, is: (row: Row) => boolean): Promise<void> {
    let last: Row | undefined;
    const look = async () => {
      last = (await this.rows()).get(slot);
      return last !== undefined && is(last);
    };
    await eventually(() => `${slot} ${what}; last: ${JSON.stringify(last)}`, look, HEALS_WITHIN_MS);
  }

  /** Until the watchdog that is there now has itself seen every member pass a probe. */
  async serves(): Promise<void> {
    const look = async () => {
      const page = await within(ANSWERS_WITHIN_MS, "the metrics", this.watchdog("/metrics")).catch(() => "");
      const passed = [...page.matchAll(/^evenkeel_member_serving\{.*\} ([01])$/gm)].map(([, value]) => value);
      return passed.length > 0 && passed.every((value) => value === "1");
    };
    await eventually("every member has passed a probe", look, HEALS_WITHIN_MS);
  }

  /** Heals of a slot, whatever their outcome, since the watchdog started. */
  async heals(slot: string): Promise<number> {
    const lines = [...(await this.watchdog("/metrics")).matchAll(/^evenkeel_heals_total\{slot="(.+?)",.*\} (\d+)$/gm)];
    return lines.reduce((sum, [, healed, count]) => sum + (healed === slot ? Number(count) : 0), 0);
  }

  /** All containers of the project, or of one service, whatever their state. */
  async containers(service?: string): Promise<Container[]> {
    const filters = [
      "--filter",
      LABEL,
      ...(service ? ["--filter", `label=com.docker.compose.service=${service}`] : []),
    ];
    const ids = await docker("ps", "--all", "--quiet", "--no-trunc", ...filters);
    return ids === "" ? [] : (JSON.parse(await docker("inspect", ...ids.split("\n"))) as Container[]);
  }

  /** The one container of a service. */
  async container(service: string): Promise<Container> {
    const all = await this.containers(service);
    if (all.length !== 1) throw new Error(`${service} has ${all.length} containers: ${all.map(({ Name }) => Name)}`);
    return all[0] as Container;
  }

  /** Waits until no heal is under way: there is one container a service, and none stands aside. */
  async settled(services: number): Promise<void> {
    const look = async () => {
      const names = (await docker("ps", "--all", "--filter", LABEL, "--format", "{{.Names}}")).split("\n");
      return names.length === services && !names.some((name) => name.endsWith("-aside"));
    };
    await eventually("nothing stands aside", look, HEALS_WITHIN_MS);
  }

  /** Containers, networks and volumes of the project. */
  async leftovers(): Promise<string[]> {
    const lists = [
      docker("ps", "--all", "--filter", LABEL, "--format", "container {{.Names}}"),
      docker("network", "ls", "--filter", LABEL, "--format", "network {{.Name}}"),
      docker("volume", "ls", "--filter", LABEL, "--format", "volume {{.Name}}"),
    ];
    return (await Promise.all(lists)).flatMap((list) => list.split("\n").filter(Boolean));
  }

  /** Nothing is left after this, not even of a test that failed. */
  async clear(): Promise<void> {
    await this.compose("kill", "watchdog");
    for (const { Id } of await this.containers()) await docker("rm", "--force", Id);
    await this.compose("down", "--volumes", "--remove-orphans");
  }
}

/**
 * The project with nothing in it yet; cleared when the scope is over.
 * @param override the path of a Compose file that is read on top of the checkout's own
 */
export async function emptyProject(scope: Scope, override?: string): Promise<ComposeSystem> {
  const system = new ComposeSystem({ balancerPort: await freePort(), watchdogPort: await freePort(), override });
  await system.clear();
  scope.after(() => system.clear());
  return system;
}
