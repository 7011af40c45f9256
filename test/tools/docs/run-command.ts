// Runs a command of the documents as a reader would, by a shell at the top of a checkout: of a copy, as some of them write files or take
// the built programs away. The ports that the documents name are replaced by free ones.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { root } from "../docs.ts";
import { eventually } from "../eventually.ts";
import { freePort } from "../ports.ts";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";
import { type Command, commands } from "./commands.ts";

const ENDS_WITHIN_MS = 300_000;
const SETTLES_WITHIN_MS = 90_000;
const NOT_COPIED = new Set(["node_modules", "dist", ".git", ".evenkeel", ".env"]);
/** The files that name the image. */
const COMPOSE_FILES = ["docker-compose.yml"];

export interface Reader {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** A copy of the checkout, and the ports of its own system. @param project of a Compose project and its image */
export async function reader(scope: Scope, project: string): Promise<Reader> {
  const directory = join(await temporaryDirectory(scope), "evenkeel");
  await cp(root, directory, { recursive: true, filter: (path) => !NOT_COPIED.has(relative(root, path)) });
  await symlink(join(root, "node_modules"), join(directory, "node_modules"));
  // Another checkout's tests on the same engine have an image of the usual name too.
  for (const file of COMPOSE_FILES)
    await change(join(directory, file), (text) => text.replace(/image: evenkeel$/gm, `image: ${project}`));
  return readerIn(directory, project);
}

/** In a directory that is there, which no command writes to. */
export async function readerIn(directory: string, project: string): Promise<Reader> {
  const [balancer, watchdog] = [String(await freePort()), String(await freePort())];
  const environment = {
    ...ofOurs("PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"),
    ...{ COMPOSE_PROJECT_NAME: project, EVENKEEL_IMAGE: project },
    ...{ BALANCER_PORT: balancer, WATCHDOG_PORT: watchdog, BALANCER_URL: `http://127.0.0.1:${balancer}` },
  };
  return { directory, environment };
}

/** Runs it to its end, or where it has none, until it has said what it has to. @throws with what it wrote when it does otherwise */
export async function runCommand(reader: Reader, written: string): Promise<string> {
  const command = commands[written] as Command;
  if (command.endless) return runUntilSaid(reader, written, command);
  if (!command.settles) return runOnce(reader, written, command);
  let last = "";
  const settled = async () => {
    const { code, output } = await endOf(begin(reader, written, command));
    last = output;
    return code === (command.code ?? 0) && hasSaid(command, output) ? output : undefined;
  };
  return eventually(() => `${written} says ${command.says}; last: ${last}`, settled, SETTLES_WITHIN_MS);
}

/** Starts one that has no end, waits for its word, and leaves it running until the scope is over. */
export async function startCommand(scope: Scope, reader: Reader, written: string): Promise<() => Promise<void>> {
  const command = commands[written] as Command;
  const running = begin(reader, written, command);
  const end = () => stop(running.child);
  scope.after(end);
  const said = () => hasSaid(command, running.output());
  await eventually(() => `${written} says ${command.says}: ${running.output()}`, said, SETTLES_WITHIN_MS);
  return end;
}

async function runOnce(reader: Reader, written: string, command: Command): Promise<string> {
  const { code, output } = await endOf(begin(reader, written, command));
  if (code === (command.code ?? 0) && hasSaid(command, output)) return output;
  throw new Error(`${written} ended with ${code}, and was to say ${command.says ?? "anything"}:\n${output}`);
}

async function runUntilSaid(reader: Reader, written: string, command: Command): Promise<string> {
  const running = begin(reader, written, command);
  try {
    const said = () => hasSaid(command, running.output());
    await eventually(() => `${written} says ${command.says}: ${running.output()}`, said, SETTLES_WITHIN_MS);
    return running.output();
  } finally {
    await stop(running.child);
  }
}

function hasSaid({ says }: Command, output: string): boolean {
  return says === undefined || new RegExp(says, "m").test(output);
}

interface Begun {
  readonly child: ChildProcess;
  readonly output: () => string;
}

/** In a process group of its own, so that whatever it starts can be ended with it. */
function begin({ directory, environment }: Reader, written: string, { instead = written }: Command): Begun {
  const { BALANCER_PORT, WATCHDOG_PORT } = environment;
  const line = instead
    .replaceAll("127.0.0.1:8080", `127.0.0.1:${BALANCER_PORT}`)
    .replaceAll("127.0.0.1:8404", `127.0.0.1:${WATCHDOG_PORT}`);
  const child = spawn("sh", ["-c", line], {
    ...{ cwd: directory, env: environment, detached: true },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      output += chunk;
    });
  }
  return { child, output: () => output };
}

/** One that does not end is ended with all that it has started, and its code is null. */
async function endOf({ child, output }: Begun): Promise<{ code: number | null; output: string }> {
  const timer = setTimeout(() => process.kill(-(child.pid as number), "SIGKILL"), ENDS_WITHIN_MS);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, output: output() };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "close");
  process.kill(-(child.pid as number), "SIGTERM");
  await ended;
}

/** What a reader's shell has too; nothing else of ours, such as what a test runner tells its children. */
function ofOurs(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

async function change(file: string, edit: (text: string) => string): Promise<void> {
  await writeFile(file, edit(await readFile(file, "utf8")));
}
