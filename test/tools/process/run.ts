// Members and the client as real processes, with nothing of our own environment in them. Each one is killed when its test
// is over, whatever became of the test. What `npm test` has built is run, or the sources where they are newer.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { eventually } from "../eventually.ts";
import type { Scope } from "../scope.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const START_MS_MAX = 30_000;
const built = modifiedMs("dist") > Math.max(modifiedMs("services"), modifiedMs("watchdog"));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One line of a member's stdout. */
export interface MemberEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** The lines of stdout so far that are JSON. */
  readonly events: readonly MemberEvent[];
  /** Waits for an event with this name and these fields, be it past or to come. */
  readonly event: (name: string, fields?: Readonly<Record<string, unknown>>) => Promise<MemberEvent>;
}

export interface MemberProcess extends Running {
  readonly port: number;
  readonly adminPort: number;
}

type Environment = Readonly<Record<string, string>>;

/** Starts a program: of services/, such as `main`, or with its folder, such as `watchdog/chaos/chaos`. What is of test/ is never built. */
export function run(
  scope: Scope,
  program: string,
  environment: Environment,
  parameters: readonly string[] = [],
): Running {
  const path = program.includes("/") ? program : `services/${program}`;
  const command = built && !path.startsWith("test/") ? [`dist/${path}.js`] : ["--import", "tsx", `${path}.ts`];
  const child = spawn(process.execPath, [...command, ...parameters], {
    cwd: root,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  const events: MemberEvent[] = [];
  let stdout = "";
  let stderr = "";
  createInterface({ input: child.stdout }).on("line", (line) => {
    stdout += `${line}\n`;
    // One that is killed may end in the middle of a line.
    if (line.startsWith("{") && line.endsWith("}")) events.push(JSON.parse(line) as MemberEvent);
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal, stdout, stderr }) as Ended);
  scope.after(async () => {
    child.kill("SIGKILL");
    child.stdout.resume();
    await ended;
  });

  function find(name: string, fields: Readonly<Record<string, unknown>>): MemberEvent | undefined {
    return events.find(
      (each) => each.event === name && Object.entries(fields).every(([key, value]) => each[key] === value),
    );
  }

  async function event(name: string, fields = {}): Promise<MemberEvent> {
    const what = `${name} ${JSON.stringify(fields)} of ${program} ${environment.ID ?? ""}`;
    const look = () => {
      const found = find(name, fields);
      if (!found && child.exitCode !== null) throw new Error(`${what}: it has ended with ${child.exitCode}\n${stderr}`);
      return found;
    };
    return eventually(what, look, START_MS_MAX);
  }

  return { child, ended, events, event };
}

/** Starts main.ts, or another program, on ports of its own and waits until it says where it listens. */
export async function startMember(scope: Scope, environment: Environment, program = "main"): Promise<MemberProcess> {
  const fixed = { HOST: "127.0.0.1", PORT: "0", ADMIN_PORT: "0", REGISTRY_FILE: "/nonexistent/registry.json" };
  const running = run(scope, program, { ...fixed, ...environment });
  const { port, adminPort } = (await running.event("listening")) as unknown as { port: number; adminPort: number };
  return { ...running, port, adminPort };
}

/** When the newest file in a folder was written; 0 where there is no folder. */
function modifiedMs(folder: string): number {
  try {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" });
    return Math.max(...names.map((name) => statSync(join(root, folder, name)).mtimeMs));
  } catch {
    return 0;
  }
}
