// Runs all test files, each in a process of its own, and says at the end what failed. Tests on a Docker engine mostly wait for it: beside
// two files of them there is time for one of the others. Those of test/docker/alone want the engine for themselves, and come last.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { text } from "node:stream/consumers";

/** Files at a time, and those of them that use an engine. */
const AT_ONCE = 3;
const ON_ENGINE_AT_ONCE = 2;
/** Longer than any file takes: one that hangs is ended, and the others go on. */
const FILE_MS_MAX = 600_000;
const ROOT = join(import.meta.dirname, "..");
const OPTIONS = ["--import", "tsx", "--test-reporter=spec"];
const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** The reporter ends each file with counts, and what failed in it behind these. A file without has not come to its end. */
const COUNTS = /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/gm;
const FAILED = "\n✖ failing tests:\n";

class Tally {
  readonly #counts = new Map<string, number>();
  readonly #failed: string[] = [];
  readonly #underWay = new Set<ChildProcess>();

  get isWell(): boolean {
    return this.#failed.length === 0;
  }

  async run(file: string): Promise<void> {
    const child = spawn(process.execPath, [...OPTIONS, file], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: FILE_MS_MAX,
      killSignal: "SIGKILL",
    });
    this.#underWay.add(child);
    const closed = once(child, "close");
    const [said, [code, signal]] = await Promise.all([text(child.stdout), closed]);
    this.#underWay.delete(child);
    const counts = [...said.matchAll(COUNTS)];
    for (const [, what, count] of counts) this.#add(what as string, Number(count));
    const failedAt = said.lastIndexOf(FAILED);
    const course = failedAt === -1 ? said : said.slice(0, failedAt);
    process.stdout.write(`${course.replaceAll(COUNTS, "").trim()}\n`);
    if (code === 0 && counts.length > 0) return;
    const end = `\n${relative(ROOT, file)} ended with ${signal ?? code}\n`;
    this.#failed.push(failedAt === -1 ? end : said.slice(failedAt + FAILED.length));
  }

  /** Passes on that all is to end. */
  stop(signal: NodeJS.Signals): void {
    for (const child of this.#underWay) child.kill(signal);
  }

  report(): void {
    for (const [what, count] of this.#counts) console.log(`ℹ ${what} ${Math.round(count)}`);
    if (!this.isWell) console.log(`${FAILED}${this.#failed.join("")}`);
  }

  #add(what: string, count: number): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }
}

async function testsIn(...directories: readonly string[]): Promise<string[]> {
  const all = directories.map(async (directory) => {
    const names = await readdir(directory);
    return names.filter((name) => name.endsWith(".test.ts")).map((name) => join(directory, name));
  });
  return (await Promise.all(all)).flat();
}

async function inTurn(files: string[], run: (file: string) => Promise<void>): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) await run(file);
}

const engine = join(ROOT, "docker");
const entries = await readdir(ROOT, { withFileTypes: true });
const directories = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(ROOT, name));
const onEngine = await testsIn(engine);
const others = await testsIn(ROOT, ...directories.filter((directory) => directory !== engine));
const tally = new Tally();
const run = (file: string) => tally.run(file);
for (const signal of SIGNALS)
  process.once(signal, () => {
    for (const files of [onEngine, others]) files.length = 0;
    tally.stop(signal);
  });
const lanes = Array.from({ length: AT_ONCE }, async (_, lane) => {
  if (lane < ON_ENGINE_AT_ONCE) await inTurn(onEngine, run);
  await inTurn(others, run);
});
await Promise.all(lanes);
if (tally.isWell) await inTurn(await testsIn(join(engine, "alone")), run);
else console.log("ℹ those of test/docker/alone were not run");
tally.report();
process.exitCode = tally.isWell ? 0 : 1;
