// Discovery on a Swarm: the members are the tasks of one stack, as its manager tells. It changes nothing, and there is no runner beside
// it: Swarm starts, replaces and updates.

import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type Docker from "dockerode";
import type { Slot } from "../../desired/slot.ts";
import type { Discovery, EngineEvent, Found, ObservedRoll, OtherVersion } from "../discovery.ts";
import { type Connection, ignoring } from "../docker/connection.ts";
import { unframed } from "../docker/streams/log-frames.ts";
import { Manager } from "./manager.ts";
import { TaskReports } from "./reports.ts";
import { type Standpoint, type SwarmMembers, swarmMembers } from "./tasks.ts";

const REOPEN_AFTER_MS = 500;

/** The types do not have it. */
interface TaskLog {
  logs(options: { readonly stdout: true; readonly stderr: true; readonly tail: number }): Promise<Buffer>;
}

export class SwarmDiscovery implements Discovery {
  /** No event tells of a task, our own or another. */
  readonly self = undefined;
  readonly project: string;
  readonly membersStay = true;
  readonly slotsPass = true;
  readonly #connection: Connection;
  readonly #standpoint: Standpoint;
  readonly #manager: Manager;
  readonly #reports: TaskReports;
  #tell: (event: EngineEvent) => void = () => {};
  /** What the last look has shown. */
  #seen: SwarmMembers | undefined;

  constructor(connection: Connection, standpoint: Standpoint) {
    this.#connection = connection;
    this.#standpoint = standpoint;
    this.#manager = new Manager(connection, standpoint.stack);
    this.#reports = new TaskReports(connection, (event) => this.#tell(event));
    this.project = standpoint.stack;
  }

  /** Of the look that listed the members last: slots and members of one round are of one look. */
  async slots(): Promise<readonly Slot[]> {
    return (this.#seen ?? (await this.#look())).slots;
  }

  async list(): Promise<readonly Found[]> {
    const { found, reporters } = await this.#look();
    this.#reports.follow(reporters);
    return found.map((member) => this.#reports.with(member));
  }

  get rolls(): readonly ObservedRoll[] {
    return this.#seen?.rolls ?? [];
  }

  async formerVersion(service: string): Promise<OtherVersion> {
    return { kind: "none", reason: `Swarm keeps it: docker service rollback ${this.project}_${service}` };
  }

  async imageVersion(slot: string): Promise<OtherVersion> {
    return { kind: "none", reason: `Swarm rolls ${slot} to another image: docker service update --image` };
  }

  /** It removes nothing, and Swarm counts. */
  removedByUs(): boolean {
    return false;
  }

  /** By its node, which may be gone: then none. */
  async lastLines(instance: string, count: number): Promise<readonly string[]> {
    const task = this.#connection.calls.getTask(instance) as unknown as TaskLog;
    const bytes = await ignoring([404], task.logs({ stdout: true, stderr: true, tail: count }));
    if (bytes === undefined) return [];
    return unframed(bytes).split(/\r?\n/).filter(Boolean).slice(-count);
  }

  async watch(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void> {
    this.#tell = onEvent;
    stop.addEventListener("abort", () => this.#reports.close(), { once: true });
    void this.#follow(onEvent, stop);
  }

  /** Services and nodes change by events; a task's end shows at the next look. */
  async #follow(onEvent: (event: EngineEvent) => void, stop: AbortSignal): Promise<void> {
    const changed = () => {
      this.#manager.changed();
      onEvent({ kind: "changed" });
    };
    while (!stop.aborted) {
      try {
        const filters = { type: ["service", "node"] };
        const options = { filters, abortSignal: stop } as unknown as Docker.GetEventsOptions;
        const stream = await this.#connection.streams.getEvents(options);
        for await (const _line of createInterface({ input: stream, signal: stop })) changed();
      } catch {
        // The manager restarts, or we are told to stop.
      }
      // The next look sees what was missed while nobody listened.
      changed();
      await delay(REOPEN_AFTER_MS, undefined, { signal: stop }).catch(() => {});
    }
  }

  async #look(): Promise<SwarmMembers> {
    const seen = swarmMembers(await this.#manager.answers(), this.#standpoint);
    this.#seen = seen;
    return seen;
  }
}
