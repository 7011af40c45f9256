// Runs all test files, each in a process of its own, and says at the end what failed. Tests on a Docker engine mostly wait for it: beside
// two files of them there is time for one of the others. Files of test/docker/alone want the engine for themselves, and come last.

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

interface Outcome {
  readonly file: string;
  readonly counts: readonly { readonly what: string; readonly count: number }[];
  /** What failed in it; undefined: nothing. */
  readonly failed: string | undefined;
}

const underWay = new Set<ChildProcess>();

async function run(file: string): Promise<Outcome> {
  const how = { timeout: FILE_MS_MAX, killSignal: "SIGKILL" } as const;
  const child = spawn(process.execPath, [...OPTIONS, file], { ...how, stdio: ["ignore", "pipe", "inherit"] });
  underWay.add(child);
  const closed = once(child, "close");
  const [said, [code, signal]] = await Promise.all([text(child.stdout), closed]);
  underWay.delete(child);
  const failedAt = said.lastIndexOf(FAILED);
  const course = failedAt === -1 ? said : said.slice(0, failedAt);
  console.log(course.replaceAll(COUNTS, "").trim());
  const counts = Array.from(said.matchAll(COUNTS), ([, what = "", count]) => ({ what, count: Number(count) }));
  if (code === 0 && counts.length > 0) return { file, counts, failed: undefined };
  const end = `\n${relative(ROOT, file)} ended with ${signal ?? code}\n`;
  return { file, counts, failed: failedAt === -1 ? end : said.slice(failedAt + FAILED.length) };
}

/** One after another, from the front of the list, which others may take from too. */
async function inTurn(files: string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let file = files.shift(); file !== undefined; file = files.shift()) outcomes.push(await run(file));
  return outcomes;
}

async function testsIn(...directories: readonly string[]): Promise<string[]> {
  const all = directories.map(async (directory) => {
    const names = await readdir(directory);
    return names.filter((name) => name.endsWith(".test.ts")).map((name) => join(directory, name));
  });
  return (await Promise.all(all)).flat();
}

function report(outcomes: readonly Outcome[]): void {
  const sums = new Map<string, number>();
  for (const { what, count } of outcomes.flatMap(({ counts }) => counts)) sums.set(what, (sums.get(what) ?? 0) + count);
  for (const [what, sum] of sums) console.log(`ℹ ${what} ${Math.round(sum)}`);
}

const hasFailed = ({ failed }: Outcome) => failed !== undefined;

const engine = join(ROOT, "docker");
const entries = await readdir(ROOT, { withFileTypes: true });
const directories = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(ROOT, name));
const onEngine = await testsIn(engine);
const others = await testsIn(ROOT, ...directories.filter((directory) => directory !== engine));
for (const signal of SIGNALS)
  process.once(signal, () => {
    for (const files of [onEngine, others]) files.length = 0;
    for (const child of underWay) child.kill(signal);
  });

const lanes = Array.from({ length: AT_ONCE }, async (_, lane) => [
  ...(lane < ON_ENGINE_AT_ONCE ? await inTurn(onEngine) : []),
  ...(await inTurn(others)),
]);
const together = (await Promise.all(lanes)).flat();
const isWell = !together.some(hasFailed);
const all = [...together, ...(isWell ? await inTurn(await testsIn(join(engine, "alone"))) : [])];
report(all);
if (!isWell) console.log("ℹ those of test/docker/alone were not run");
const failed = all.filter(hasFailed);
if (failed.length > 0) console.log(`${FAILED}${failed.map(({ failed: what }) => what).join("")}`);
process.exitCode = failed.length > 0 ? 1 : 0;
