// Runs all test files, in lanes that go side by side. Tests on a Docker engine mostly wait for it: beside two of them there is time for one
// of the others. Those of test/docker/alone want the engine for themselves, and come last.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

interface Lane {
  readonly files: readonly string[];
  /** Files at a time. */
  readonly concurrency: number;
}

/** Longer than any file takes: one that hangs is ended, and the others go on. */
const FILE_MS_MAX = 600_000;
const ROOT = join(import.meta.dirname, "..");
const DOCKER = join(ROOT, "docker");

async function testsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names.filter((name) => name.endsWith(".test.ts")).map((name) => join(directory, name));
}

async function testsBeside(directory: string): Promise<string[]> {
  const entries = await readdir(ROOT, { withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(ROOT, name));
  const others = directories.filter((each) => each !== directory);
  return (await Promise.all([ROOT, ...others].map(testsIn))).flat();
}

/** Says how it goes, and at its end what failed. @returns did all pass? */
async function passes({ files, concurrency }: Lane): Promise<boolean> {
  let failed = false;
  const events = run({ files: [...files], concurrency, timeout: FILE_MS_MAX });
  events.on("test:fail", ({ todo }) => {
    failed ||= todo === undefined || todo === false;
  });
  // One for each lane: a reporter takes the tests of a file in their order.
  for await (const text of events.compose(new spec())) process.stdout.write(text);
  return !failed;
}

const together = await Promise.all(
  [
    { files: await testsIn(DOCKER), concurrency: 2 },
    { files: await testsBeside(DOCKER), concurrency: 1 },
  ].map(passes),
);
const isWell = together.every(Boolean);
const alone = { files: await testsIn(join(DOCKER, "alone")), concurrency: 1 };
process.exitCode = isWell && (await passes(alone)) ? 0 : 1;
