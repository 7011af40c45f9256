// A program of the user's as server: how it is started, and on which port. It says nothing by itself, so we find a port that is free
// and tell it by a variable; no two of ours are told the same.

import type { Settings } from "../../../services/runtime/config.ts";
import { inheritedEnvironment } from "../../../services/runtime/config.ts";
import { findFree, trafficPorts } from "../../../services/runtime/ports.ts";
import { settingsTable } from "../../../services/runtime/settings-table.ts";
import type { ProcessStart } from "../../guardian/members/member-processes.ts";
import type { Found, Ports } from "../discovery.ts";

/** An application's first page may take its time. */
const ANY_ANSWER_MS = 2_000;
/** By any other process too, on whatever address. */
const EVERYWHERE = "0.0.0.0";
/** Its own affair, though we have settings of that name. */
const ITS_OWN: ReadonlySet<string> = new Set(["HOST", "LOG_LEVEL"]);

export class OwnProgram {
  readonly #settings: Settings;
  readonly #command: string;
  /** By instance, until that is forgotten. */
  readonly #ports = new Map<string, number>();

  constructor(settings: Settings, command: string) {
    this.#settings = settings;
    this.#command = shellText(command);
  }

  /** What the watchdog knows of it without asking. */
  get facts(): Pick<Found, "check" | "startMs" | "portTold"> {
    const { SERVER_HEALTH: path, START_TIMEOUT_MS, SERVER_PORT_ENV } = this.#settings;
    const check = path === undefined ? { timeoutMs: ANY_ANSWER_MS } : { path };
    return { check, startMs: START_TIMEOUT_MS, portTold: SERVER_PORT_ENV };
  }

  /** @throws Error when no port is free */
  async start(instance: string, slot: string): Promise<Pick<ProcessStart, "what" | "environment">> {
    const { SERVER_PORT_ENV, SERVER_DIRECTORY: directory = "." } = this.#settings;
    const port = await this.#reserve(instance, slot);
    const environment = { ...foreignEnvironment(), [SERVER_PORT_ENV]: String(port) };
    return { what: { command: this.#command, directory }, environment };
  }

  /** Where one listens that an earlier watchdog has started. */
  adopt(instance: string, environment: NodeJS.ProcessEnv): void {
    this.#ports.set(instance, Number(environment[this.#settings.SERVER_PORT_ENV]));
  }

  portsOf(instance: string): Ports | undefined {
    const port = this.#ports.get(instance);
    return port === undefined ? undefined : { port };
  }

  forget(instance: string): void {
    this.#ports.delete(instance);
  }

  async #reserve(instance: string, slot: string): Promise<number> {
    const { candidates } = trafficPorts({ ...this.#settings, PORT: undefined, ROLE: "server", ID: slot });
    for (const port of candidates) {
      if ([...this.#ports.values()].includes(port)) continue;
      // Before we look: another start may look at the same moment.
      this.#ports.set(instance, port);
      if (await isFree(port)) return port;
      this.#ports.delete(instance);
    }
    throw new Error("no port is free for it: set PORT_RANGE to a larger range");
  }
}

/** Where it is one command it takes the shell's place, so that the process we know is the program. */
export function shellText(command: string): string {
  if (/[;&|()\n]|^\s*exec\b/.test(command)) return command;
  return /^\s*\w+=/.test(command) ? `exec env ${command}` : `exec ${command}`;
}

async function isFree(port: number): Promise<boolean> {
  return findFree(EVERYWHERE, { candidates: [port], setting: "PORT_RANGE" }).then(
    () => true,
    () => false,
  );
}

/** Ours, without what is said to us: settings and secrets of the watchdog, and npm's to the script that started it. */
function foreignEnvironment(): NodeJS.ProcessEnv {
  const isTheirs = (name: string) =>
    ITS_OWN.has(name) || !(Object.hasOwn(settingsTable, name) || /^(npm_|INIT_CWD$)/.test(name));
  return Object.fromEntries(Object.entries(inheritedEnvironment({})).filter(([name]) => isTheirs(name)));
}
