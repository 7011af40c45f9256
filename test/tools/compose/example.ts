// One of examples/ that is a whole Compose file, run as its README says: the commands of its console blocks, in their order, in its own
// folder, on a real engine. Nothing of its project is left when the test is over.

import assert from "node:assert/strict";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { containersOfProject, docker, dockerLines, leftoversOf, ofService } from "../docker/docker.ts";
import { reapWhenKilled } from "../docker/reaper.ts";
import { commandsIn } from "../docs/commands.ts";
import { type Reader, readerIn, runCommand } from "../docs/run-command.ts";
import { read, root } from "../docs.ts";
import { slotsAt } from "../http/slots.ts";

interface Told {
  readonly commands: readonly string[];
  /** Takes how long each command took. */
  readonly say: (line: string) => void;
}

export class Example {
  readonly project: string;
  readonly #reader: Reader;
  readonly #commands: string[];
  readonly #say: (line: string) => void;

  constructor(project: string, reader: Reader, { commands, say }: Told) {
    this.project = project;
    this.#reader = reader;
    this.#commands = [...commands];
    this.#say = say;
  }

  get balancerPort(): number {
    return Number(this.#reader.environment.BALANCER_PORT);
  }

  get watchdogPort(): number {
    return Number(this.#reader.environment.WATCHDOG_PORT);
  }

  /** The README's next command, which has to begin so. @returns what it wrote */
  async next(beginning: string): Promise<string> {
    const command = this.#commands.shift() ?? "";
    assert.ok(command.startsWith(beginning), `${beginning} ..., and the README says ${command}`);
    const begunMs = performance.now();
    const said = await runCommand(this.#reader, command);
    this.#say(`${Math.round(performance.now() - begunMs)} ms: ${command}`);
    return said;
  }

  /** The last one, after which nothing is there any more. */
  async down(): Promise<void> {
    await this.next("docker compose down -v");
    assert.deepEqual(this.#commands, []);
    assert.deepEqual(await leftoversOf(this.project), []);
  }

  rows() {
    return slotsAt(Number(this.#reader.environment.WATCHDOG_PORT));
  }

  /** Whether, and since when, each of a service's containers runs. */
  async lives(service: string): Promise<string[]> {
    const ids = await containersOfProject(this.project, ofService(service));
    return Promise.all(ids.map((id) => docker("inspect", "--format", "{{.Id}} {{json .State}}", id)));
  }

  async clear(): Promise<void> {
    // The healer first.
    for (const filters of [[ofService("watchdog")], []]) {
      const ids = await containersOfProject(this.project, ...filters);
      if (ids.length > 0) await docker("rm", "--force", "--volumes", ...ids);
    }
    const ofProject = `label=com.docker.compose.project=${this.project}`;
    for (const kind of ["network", "volume"]) {
      for (const name of await dockerLines(kind, "ls", "--quiet", "--filter", ofProject))
        await docker(kind, "rm", name);
    }
    const images = await dockerLines("images", "--quiet", "--filter", `reference=${this.project}*`);
    if (images.length > 0) await docker("rmi", "--force", ...new Set(images));
  }
}

/** @param name its folder in examples/ */
export async function example(t: TestContext, name: string): Promise<Example> {
  const project = `evenkeel-example-${name}-${process.pid}`;
  const reader = await readerIn(join(root, "examples", name), project);
  const commands = commandsIn(await read(`examples/${name}/README.md`));
  const made = new Example(project, reader, { commands, say: (line) => t.diagnostic(line) });
  reapWhenKilled(project);
  t.after(() => made.clear());
  return made;
}
