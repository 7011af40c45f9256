// A watchdog as a process of this machine, on the containers of a Compose project that it is no part of. Runs without its
// guardian, which would start it again when a test kills it.

import { eventually } from "../eventually.ts";
import { ask } from "../http/ask.ts";
import { slotsAt } from "../http/slots.ts";
import { freePort } from "../ports.ts";
import { type Running, run } from "../process/run.ts";
import type { Scope } from "../scope.ts";
import { PROJECT } from "./containers.ts";
import { filteredSocket } from "./filtered-socket.ts";
import { tollSocket } from "./toll-socket.ts";

const WITHIN_MS = 30_000;
/** The same for each: one that comes back takes over its own lease at once, as after a respawn by its guardian. */
const GUARDED = "test";

export interface Place {
  /** Holds its registry and its memory; the next watchdog goes on from them. */
  readonly directory: string;
  /** Default: the guardian's filter, before the engine's own. */
  readonly socket?: string;
}

interface IncidentList {
  readonly incidents: readonly { readonly changes: readonly string[] }[];
}

export class WatchdogProcess {
  readonly running: Running;
  readonly #port: number;

  constructor(running: Running, port: number) {
    this.running = running;
    this.#port = port;
  }

  /** The container that serves in a slot; undefined while none does, and while nobody answers. */
  async serving(slot: string): Promise<string | undefined> {
    const row = (await slotsAt(this.#port)).get(slot);
    return row?.state === "serving" ? (row.instance ?? undefined) : undefined;
  }

  /** Waits until the slot is served, by another container than this one. */
  async serves(slot: string, not?: string): Promise<string> {
    let instance: string | undefined;
    const look = async () => {
      instance = await this.serving(slot);
      return instance === not ? undefined : instance;
    };
    return eventually(() => `${slot} serves anew; now: ${instance}`, look, WITHIN_MS);
  }

  /** What the latest heal of a slot has changed. */
  async changes(slot: string): Promise<readonly string[]> {
    const { body } = await ask(this.#port, { path: `/api/incidents?limit=1&slot=${slot}` });
    return (JSON.parse(body) as IncidentList).incidents[0]?.changes ?? [];
  }

  /** Gives it an order, such as `/api/rolls/app`. @throws unless it is taken */
  async order(path: string, body?: unknown): Promise<void> {
    const { status, body: said } = await ask(this.#port, {
      method: "POST",
      path,
      headers: { "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (status !== 202 && status !== 200) throw new Error(`${path} was answered ${status} ${said}`);
  }

  /** In good order: it has written down what it knows. */
  async stop(): Promise<void> {
    this.running.child.kill("SIGTERM");
    await this.running.ended;
  }

  async kill(): Promise<void> {
    this.running.child.kill("SIGKILL");
    await this.running.ended;
  }
}

export async function startWatchdog(scope: Scope, { directory, socket }: Place): Promise<WatchdogProcess> {
  const port = await freePort();
  const DOCKER_SOCKET = socket ?? (await filteredSocket(scope, { directory })).path;
  const running = run(scope, "main", {
    ROLE: "watchdog",
    ENGINE: "docker",
    GUARDED,
    COMPOSE_PROJECT_NAME: PROJECT,
    HOST: "127.0.0.1",
    WATCHDOG_PORT: String(port),
    REGISTRY_FILE: `${directory}/registry.json`,
    DOCKER_SOCKET,
  });
  await running.event("listening", { role: "watchdog" });
  return new WatchdogProcess(running, port);
}

/** A watchdog that is killed outright as soon as the engine has made one of its changes, before it hears of that. */
export interface Doomed {
  readonly watchdog: WatchdogProcess;
  /** What it has made the engine change so far. */
  readonly changes: readonly string[];
  readonly isKilled: () => boolean;
}

/** @param at the change, by its name or its number from 1; never when absent */
export async function doomedWatchdog(
  t: Scope,
  { directory, at }: { readonly directory: string; readonly at: string | number | undefined },
): Promise<Doomed> {
  let killed = false;
  let watchdog: WatchdogProcess | undefined;
  const onAnswered = () => {
    watchdog?.running.child.kill("SIGKILL");
    killed = true;
  };
  const { path: engine } = await filteredSocket(t, { directory });
  const { path, changes } = await tollSocket(t, { engine, at, onAnswered });
  watchdog = await startWatchdog(t, { directory, socket: path });
  return { watchdog, changes, isKilled: () => killed };
}
