// What the watchdog remembers beyond its own life: it comes back as it was written, and what cannot be read is no memory.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Memory, memoryFile, nothing, recall, remember } from "../../watchdog/observe/state-file.ts";
import { askedAt, stopped } from "../tools/watchdog/slot-states.ts";

const memory: Memory = {
  intents: { abc: stopped, def: askedAt(1_700_000_000_000) },
  fillings: {
    "server-1": { instance: "abc", sinceMs: 1_700_000_000_000, generation: 3, ports: { port: 9001, adminPort: 9101 } },
    client: { instance: "ghi", sinceMs: 5, generation: 1, ports: { adminPort: 9102 } },
    "server-2": { instance: "def", sinceMs: 7, generation: 1 },
  },
  restarts: {
    "server-1": { kind: "normal", score: 1.5, atMs: 1_700_000_000_000, notBeforeMs: 1_700_000_001_000 },
    "server-2": { kind: "quarantined", sinceMs: 5, notBeforeMs: 60_005 },
  },
  holds: { "server-3": { sinceMs: 1_700_000_000_000 } },
};

async function fileFor(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-memory-"));
  t.after(() => rm(directory, { recursive: true }));
  return memoryFile(join(directory, "registry.json"));
}

test("the memory lies beside the registry", () => {
  assert.equal(memoryFile("/run/evenkeel/registry.json"), "/run/evenkeel/watchdog.json");
});

test("what was remembered is recalled", async (t) => {
  const file = await fileFor(t);
  await remember(file, memory);
  assert.deepEqual(await recall(file), memory);
});

test("what is remembered later replaces what was, and leaves nothing beside it", async (t) => {
  const file = await fileFor(t);
  await remember(file, memory);
  await remember(file, { ...memory, intents: {} });
  assert.deepEqual((await recall(file)).intents, {});
  assert.deepEqual(await readdir(join(file, "..")), ["watchdog.json"]);
});

test("a missing file is an empty memory", async (t) => {
  assert.deepEqual(await recall(await fileFor(t)), nothing);
});

const broken: readonly [string, string][] = [
  ["an empty file", ""],
  ["half a file", JSON.stringify(memory).slice(0, 40)],
  ["a file of another shape", JSON.stringify({ intents: [], fillings: {} })],
  ["a wish nobody knows", JSON.stringify({ intents: { abc: { kind: "hoped" } }, fillings: {} })],
  ["a number", "7"],
];

for (const [what, text] of broken) {
  test(`${what} is an empty memory`, async (t) => {
    const file = await fileFor(t);
    await writeFile(file, text);
    assert.deepEqual(await recall(file), nothing);
  });
}

test("an empty memory that somebody writes into stays that one's own", async (t) => {
  const file = await fileFor(t);
  (await recall(file)).intents.abc = stopped;
  assert.deepEqual(await recall(file), nothing);
});

test("a memory from before there were restarts and holds to remember has none", async (t) => {
  const file = await fileFor(t);
  const { intents, fillings } = memory;
  await writeFile(file, JSON.stringify({ intents, fillings }));
  assert.deepEqual(await recall(file), { ...nothing, intents, fillings });
});
