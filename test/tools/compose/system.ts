// The whole system on a real engine: this checkout's docker-compose.yml as a Compose project of its own, with its two
// published ports on free ones and its image under a name of its own. Touches nothing but that, and leaves nothing of it.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { incidentListSchema, type SlotRow } from "../../../watchdog/api/schema.ts";
import type { IncidentSummary } from "../../../watchdog/incidents/incident.ts";
import {
  containersOfProject,
  docker,
  dockerLines,
  inspectThere,
  leftoversOf,
  namesOfProject,
  ofService,
  repository,
} from "../docker/docker.ts";
import { reapWhenKilled } from "../docker/reaper.ts";
import { eventually, within } from "../eventually.ts";
import { ask } from "../http/ask.ts";
import { series } from "../http/metrics.ts";
import { slotsAt } from "../http/slots.ts";
import { freePort } from "../ports.ts";
import { type Said, say } from "../process/programs.ts";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";

// Its own, so that two runs on one engine do not meet.
const PROJECT = `evenkeel-test-${process.pid}`;
const COMMAND_ENDS_WITHIN_MS = 420_000;
const ANSWERS_WITHIN_MS = 5_000;
const HEALS_WITHIN_MS = 60_000;

/** One container of the project. */
export interface Container {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Status: string;
    readonly StartedAt: string;
    readonly Health?: { readonly Status: string };
  };
  readonly Config: { readonly User: string; readonly Labels: Readonly<Record<string, string>> };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>>;
    readonly Ports: Readonly<Record<string, unknown>>;
  };
}

interface Parts {
  readonly balancerPort: number;
  readonly watchdogPort: number;
  /** Compose files that are read on top of the checkout's own, in this order. */
  readonly overrides: readonly string[];
}

export class ComposeSystem {
  readonly balancerPort: number;
  readonly watchdogPort: number;
  readonly #overrides: readonly string[];

  constructor({ balancerPort, watchdogPort, overrides }: Parts) {
    this.balancerPort = balancerPort;
    this.watchdogPort = watchdogPort;
    this.#overrides = overrides;
  }

  /** The same project, with these Compose files on top. */
  with(files: readonly string[]): ComposeSystem {
    const { balancerPort, watchdogPort } = this;
    return new ComposeSystem({ balancerPort, watchdogPort, overrides: [...this.#overrides, ...files] });
  }

  /** `docker compose ...` in this project. Never rejects: how it ended is the caller's to judge. */
  compose(...parameters: readonly string[]): Promise<Said> {
    const ports = { BALANCER_PORT: String(this.balancerPort), WATCHDOG_PORT: String(this.watchdogPort) };
    const files = ["docker-compose.yml", ...this.#overrides].flatMap((file) => ["-f", file]);
    const options = { cwd: repository, env: ports, limitMs: COMMAND_ENDS_WITHIN_MS };
    return say("docker", ["compose", ...files, "-p", PROJECT, ...parameters], options);
  }

  /** The same, for commands that are means to an end. @throws with what it said when it fails */
  async must(...parameters: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.compose(...parameters);
    if (code === 0) return stdout;
    const waited = parameters.includes("--wait") ? await this.#whyNotWell().catch(String) : "";
    throw new Error(`docker compose ${parameters.join(" ")} ended with ${code}: ${stderr}${waited}`);
  }

  /** Of whoever is not well, how it is and its last lines: a wait that has failed says no more than a name. */
  async #whyNotWell(): Promise<string> {
    const sick = (await this.containers()).filter(
      ({ State }) => State.Status !== "running" || (State.Health?.Status ?? "healthy") !== "healthy",
    );
    const told = sick.map(async ({ Id, Name, State }) => {
      const { stdout, stderr } = await say("docker", ["logs", "--tail", "20", Id]);
      return `\n${Name}: ${JSON.stringify(State)}\n${stdout}${stderr}`;
    });
    return (await Promise.all(told)).join("");
  }

  /** Signals the member's own process from inside its container, whose process 1 only passes signals on. */
  async signal(service: string, signal: string): Promise<void> {
    await this.must("exec", "-T", service, "sh", "-c", `kill -${signal} $(cat /proc/1/task/1/children)`);
  }

  /** The slots by id, or none while no watchdog answers. */
  rows(): Promise<ReadonlyMap<string, SlotRow>> {
    return slotsAt(this.watchdogPort);
  }

  /** All there are, or those of a slot, oldest first. */
  async incidents(slot?: string): Promise<readonly IncidentSummary[]> {
    const path = `/api/incidents?limit=200${slot === undefined ? "" : `&slot=${slot}`}`;
    const { incidents } = incidentListSchema.parse(JSON.parse(await this.watchdog(path)));
    return [...incidents].reverse();
  }

  async watchdog(path: string): Promise<string> {
    return (await ask(this.watchdogPort, { path })).body;
  }

  /** Does something to a member, and waits until its slot is filled anew and the new member serves. */
  async healsAfter(slot: string, act: () => Promise<unknown>): Promise<void> {
    const before = (await this.rows()).get(slot)?.generation ?? 0;
    await act();
    const healed = (row: SlotRow) => row.state === "serving" && (row.generation ?? 0) > before;
    await this.shows(slot, "serving anew", healed);
  }

  /** Waits until the watchdog shows a slot so. */
  async shows(slot: string, what: string, is: (row: SlotRow) => boolean): Promise<void> {
    let last: SlotRow | undefined;
    const look = async () => {
      last = (await this.rows()).get(slot);
      return last !== undefined && is(last);
    };
    await eventually(() => `${slot} ${what}; last: ${JSON.stringify(last)}`, look, HEALS_WITHIN_MS);
  }

  /** Until the watchdog that is there now has itself seen every member pass a probe. */
  async serves(): Promise<void> {
    const look = async () => {
      const asked = within(ANSWERS_WITHIN_MS, "the metrics", series(this.watchdogPort));
      const all = await asked.catch(() => new Map<string, number>());
      const passed = [...all].filter(([name]) => name.startsWith("evenkeel_member_serving{")).map(([, value]) => value);
      return passed.length > 0 && passed.every((value) => value === 1);
    };
    await eventually("every member has passed a probe", look, HEALS_WITHIN_MS);
  }

  /** All containers of the project, or of one service, whatever their state. */
  async containers(service?: string): Promise<Container[]> {
    const ids = await containersOfProject(PROJECT, ...(service === undefined ? [] : [ofService(service)]));
    return inspectThere<Container>(ids);
  }

  /** The one container of a service. While it is being healed there may be another, which stands aside. */
  async container(service: string): Promise<Container> {
    let all: readonly Container[] = [];
    const one = async () => {
      all = await this.containers(service);
      return all.length === 1 ? all[0] : undefined;
    };
    const there = () => `one container of ${service}; there are: ${all.map(({ Name }) => Name)}`;
    return eventually(there, one, HEALS_WITHIN_MS);
  }

  /** Waits until no heal is under way: there is one container a service, and none stands aside. */
  async settled(services: number): Promise<void> {
    const look = async () => {
      const names = await namesOfProject(PROJECT);
      return names.length === services && !names.some((name) => name.endsWith("-aside"));
    };
    await eventually("nothing stands aside", look, HEALS_WITHIN_MS);
  }

  /** The calls to the engine that the guardian has refused: nobody but an intruder makes one. */
  async refusedCalls(service = "watchdog"): Promise<string[]> {
    const { Id } = await this.container(service);
    return (await dockerLines("logs", Id)).filter((line) => line.includes('"event":"call-refused"'));
  }

  /** Containers, networks and volumes of the project. */
  leftovers(): Promise<string[]> {
    return leftoversOf(PROJECT);
  }

  /** Nothing is left after this, not even of a test that failed. */
  async clear(): Promise<void> {
    // At once: each of two watchdogs would bring the other one back.
    const all = await this.containers();
    await Promise.all(all.map(({ Id }) => docker("kill", Id).catch(() => {})));
    for (const { Id } of await this.containers()) await docker("rm", "--force", Id);
    await this.compose("down", "--volumes", "--remove-orphans");
    await docker("rmi", "--force", PROJECT);
  }
}

/**
 * The project with nothing in it yet; cleared when the scope is over.
 * @param override the path of a Compose file that is read on top of the checkout's own
 */
export async function emptyProject(scope: Scope, override?: string): Promise<ComposeSystem> {
  const ports = { balancerPort: await freePort(), watchdogPort: await freePort() };
  const given = override === undefined ? [] : [override];
  const services = (await new ComposeSystem({ ...ports, overrides: given }).must("config", "--services"))
    .trim()
    .split("\n");
  const images = join(await temporaryDirectory(scope), "images.json");
  // Whoever builds another checkout meanwhile gives the usual name to another image, and Compose would recreate everything.
  await writeFile(
    images,
    JSON.stringify({ services: Object.fromEntries(services.map((name) => [name, { image: PROJECT }])) }),
  );
  const system = new ComposeSystem({ ...ports, overrides: [...given, images] });
  await system.clear();
  reapWhenKilled(PROJECT);
  scope.after(() => system.clear());
  return system;
}
