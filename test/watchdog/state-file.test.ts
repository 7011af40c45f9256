// What the watchdog remembers beyond its own life: it comes back as it was written, also from an older version's file, and what
// cannot be read is no memory.

import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { StateFile, type WatchdogState } from "../../watchdog/observe/state-file.ts";
import { askedAt, stopped } from "../tools/watchdog/slot-states.ts";

/** As it is written. */
const written = {
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
  pauses: { app: { sinceMs: 1_700_000_000_000 } },
  weights: { "app-3": 0 },
  rolls: {
    app: { sample: "app-4", making: "f6b2 sha256:1", phase: "rolled-back", reason: "app-4 is gone", changed: true },
  },
  scales: {
    app: {
      from: 3,
      to: 5,
      added: ["app-4", "app-5"],
      removed: [],
      phase: "undoing",
      sinceMs: 5,
      reason: "app-4 is gone",
    },
    web: { from: 3, to: 2, added: [], removed: ["web-3"], phase: "done", sinceMs: 5, tookMs: 2_100 },
  },
} as const;

const nothing: WatchdogState = {
  intents: new Map(),
  fillings: new Map(),
  restarts: new Map(),
  holds: new Map(),
  pauses: new Map(),
  weights: new Map(),
  rolls: new Map(),
  scales: new Map(),
};
const state = Object.fromEntries(
  Object.entries(written).map(([kind, records]) => [kind, new Map(Object.entries(records))]),
) as unknown as WatchdogState;

async function stage(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-memory-"));
  t.after(() => rm(directory, { recursive: true }));
  /** A life of the watchdog. */
  const opened = async () => {
    const file = new StateFile(join(directory, "registry.json"));
    await file.open();
    return file;
  };
  const remember = async (what: WatchdogState) => {
    const file = await opened();
    Object.assign(file.state, what);
    await file.save();
  };
  const recalled = async () => (await opened()).state;
  return { directory, file: join(directory, "watchdog.json"), opened, remember, recalled };
}

test("the memory lies beside the registry", async (t) => {
  const { directory, remember } = await stage(t);
  await remember(state);
  assert.deepEqual(await readdir(directory), ["watchdog.json"]);
});

test("what was remembered is recalled", async (t) => {
  const { remember, recalled } = await stage(t);
  await remember(state);
  assert.deepEqual(await recalled(), state);
});

test("what is remembered later replaces what was, and leaves nothing beside it", async (t) => {
  const { directory, remember, recalled } = await stage(t);
  await remember(state);
  await remember({ ...state, intents: new Map() });
  assert.deepEqual((await recalled()).intents, new Map());
  assert.deepEqual(await readdir(directory), ["watchdog.json"]);
});

test("what has not changed is not written again", async (t) => {
  const { file, opened } = await stage(t);
  const now = await opened();
  now.state.intents.set("abc", stopped);
  await now.save();
  await rm(file);
  await now.save();
  await assert.rejects(readFile(file), { code: "ENOENT" });
  now.state.intents.set("def", stopped);
  await now.save();
  assert.deepEqual(Object.keys(JSON.parse(await readFile(file, "utf8")).intents), ["abc", "def"]);
});

test("slots may be called as what every object has", async (t) => {
  const { remember, recalled } = await stage(t);
  const names = ["constructor", "__proto__", "toString", "hasOwnProperty"];
  const { holds } = await recalled();
  assert.deepEqual(
    names.filter((name) => holds.has(name)),
    [],
  );
  const holding = { ...nothing, holds: new Map(names.map((name, sinceMs) => [name, { sinceMs }])) };
  await remember(holding);
  assert.deepEqual(await recalled(), holding);
});

test("a missing file is an empty memory", async (t) => {
  assert.deepEqual(await (await stage(t)).recalled(), nothing);
});

const broken: readonly [string, string][] = [
  ["an empty file", ""],
  ["half a file", JSON.stringify(written).slice(0, 40)],
  ["a file of another shape", JSON.stringify({ intents: [], fillings: {} })],
  ["an intent nobody knows", JSON.stringify({ intents: { abc: { kind: "hoped" } }, fillings: {} })],
  ["an intent nobody knows, under its old name", JSON.stringify({ wishes: { abc: { kind: "hoped" } }, fillings: {} })],
  ["a number", "7"],
  ["null", "null"],
];

for (const [what, text] of broken) {
  test(`${what} is an empty memory`, async (t) => {
    const { file, recalled } = await stage(t);
    await writeFile(file, text);
    assert.deepEqual(await recalled(), nothing);
  });
}

test("an empty memory that somebody writes into stays that one's own", async (t) => {
  const { opened, recalled } = await stage(t);
  (await opened()).state.intents.set("abc", stopped);
  assert.deepEqual(await recalled(), nothing);
});

test("a memory from before there were restarts and holds to remember has none", async (t) => {
  const { file, recalled } = await stage(t);
  const { intents, fillings } = written;
  await writeFile(file, JSON.stringify({ intents, fillings }));
  assert.deepEqual(await recalled(), { ...nothing, intents: state.intents, fillings: state.fillings });
});

test("a deliberate stop that an older version wrote down is remembered, and written under its name of today", async (t) => {
  const { file, opened, recalled } = await stage(t);
  const { intents, ...rest } = written;
  await writeFile(file, JSON.stringify({ wishes: intents, ...rest }));
  assert.deepEqual(await recalled(), state);
  await (await opened()).save();
  assert.deepEqual(JSON.parse(await readFile(file, "utf8")), written);
});
