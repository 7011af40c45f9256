// How a tier follows the registry: from the environment or the file, whichever is newer, then the file; and that nothing
// that happens to the file afterwards takes the last good document away.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { type Registry, writeRegistry } from "../../services/registry/document.ts";
import { followRegistry } from "../../services/registry/follower.ts";
import { type ReadFile, readRegistryFile } from "../../services/registry/registry-file.ts";
import { writeAtomically } from "../../services/runtime/atomic-file.ts";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import { eventually, throughout } from "../tools/eventually.ts";
import { recordedLog } from "../tools/log.ts";
import { entry, registry, temporaryDirectory } from "../tools/registry.ts";

const members = [entry("server-1", 9001)];
const version = (number: number) => registry(number, members);
/** The follower looks every 250 ms, and whenever the directory changes. */
const SOME_LOOKS_MS = 350;

interface Followed {
  readonly file: string;
  /** The versions taken over so far, in order. */
  readonly versions: readonly number[];
  readonly last: () => Registry | undefined;
  /** The reasons logged for what was ignored. */
  readonly ignored: () => unknown[];
  /** Has it said that there is nothing yet? */
  readonly awaits: () => boolean;
  readonly write: (text: string) => Promise<void>;
}

/** Follows `file` in a new directory until the test is over. `before` puts into it what is there at the start. */
async function follow(
  t: TestContext,
  {
    inline,
    path = "registry.json",
    before,
    read,
  }: { inline?: string; path?: string; before?: (file: string) => Promise<unknown>; read?: ReadFile },
): Promise<Followed> {
  const file = join(await temporaryDirectory(t), path);
  await before?.(file);
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const { log, events } = recordedLog();
  const seen: Registry[] = [];
  const versions: number[] = [];
  const onChange = (document: Registry) => {
    seen.push(document);
    versions.push(document.version);
  };
  const settings = { REGISTRY: inline, REGISTRY_FILE: file, REGISTRY_URL: undefined };
  await followRegistry({ settings, log, stop: stopping.signal, onChange, ...(read && { read }) });
  const ignored = () => events.filter(({ event }) => event === "registry-failing").map(({ reason }) => reason);
  const awaits = () => events.some(({ event }) => event === "registry-awaited");
  return { file, versions, last: () => seen.at(-1), ignored, awaits, write: (text) => writeAtomically(file, text) };
}

function refusesToStart(...words: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof StartupFailure, String(error));
    assert.equal(error.exitCode, exitCode.registry);
    assert.equal(exitCode.registry, 65);
    for (const word of words) assert.ok(error.message.includes(word), `${word} in: ${error.message}`);
    assert.ok(!error.message.includes("\n"));
    return true;
  };
}

test("the file is read before the follower is ready", async (t) => {
  const { versions, last } = await follow(t, { before: (file) => writeRegistry(file, version(7)) });
  assert.deepEqual(versions, [7]);
  assert.deepEqual(last(), version(7));
});

test("a file newer than REGISTRY wins", async (t) => {
  const inline = JSON.stringify(version(3));
  const { versions } = await follow(t, { inline, before: (file) => writeRegistry(file, version(5)) });
  assert.equal(versions.at(-1), 5);
});

test("a REGISTRY newer than the file wins, until the file has caught up", async (t) => {
  const inline = JSON.stringify(version(5));
  const { file, versions } = await follow(t, { inline, before: (path) => writeRegistry(path, version(3)) });
  assert.deepEqual(versions, [5]);
  await writeRegistry(file, version(6));
  await eventually("version 6", () => versions.at(-1) === 6);
  assert.deepEqual(versions, [5, 6]);
});

test("REGISTRY alone is enough", async (t) => {
  const { versions, awaits } = await follow(t, { inline: JSON.stringify(version(1)) });
  assert.deepEqual([versions, awaits()], [[1], false]);
});

test("a file that is not there yet is said to be awaited, and taken over when it comes", async (t) => {
  const { file, versions, awaits } = await follow(t, {});
  assert.deepEqual([versions, awaits()], [[], true]);
  await writeRegistry(file, version(1));
  await eventually("version 1", () => versions.at(-1) === 1);
});

test("a document renamed over the file is taken over within two seconds", async (t) => {
  const { file, versions, last } = await follow(t, { before: (path) => writeRegistry(path, version(1)) });
  for (const next of [2, 3, 4]) {
    await writeRegistry(file, registry(next, [...members, entry("server-2", 9000 + next)]));
    await eventually(`version ${next}`, () => versions.at(-1) === next, 2_000);
    assert.equal(last()?.members[1]?.port, 9000 + next);
  }
});

test("a missing file is waited for, and so is its directory", async (t) => {
  const { file, versions } = await follow(t, { path: "not-yet/registry.json" });
  assert.deepEqual(versions, []);
  await mkdir(join(file, ".."));
  await writeRegistry(file, version(1));
  await eventually("version 1", () => versions.at(-1) === 1, 2_000);
});

const ignorable: readonly [string, string, RegExp][] = [
  ["half a document", JSON.stringify(version(9)).slice(0, 40), /^it is not JSON/],
  ["an empty file", "", /^it is empty$/],
  ["an older version", JSON.stringify(version(1)), /^version 1 is older than 2$/],
  ["no members", JSON.stringify(registry(9, [])), /^it has no members$/],
];

for (const [what, text, reason] of ignorable) {
  test(`${what} is ignored, logged once however often it comes, and the last good document stays`, async (t) => {
    const { file, versions, ignored, write } = await follow(t, { before: (path) => writeRegistry(path, version(2)) });
    await write(text);
    await eventually("a line about it", () => ignored().length > 0);
    await throughout(SOME_LOOKS_MS, () => write(text));
    assert.deepEqual(versions, [2]);
    assert.equal(ignored().length, 1, ignored().join("; "));
    assert.match(String(ignored()[0]), reason);
    await writeRegistry(file, version(10));
    await eventually("version 10", () => versions.at(-1) === 10);
    assert.deepEqual(versions, [2, 10]);
  });
}

test("a file that is removed takes nothing away, and is followed again when it comes back", async (t) => {
  const { file, versions, ignored } = await follow(t, { before: (path) => writeRegistry(path, version(2)) });
  await throughout(SOME_LOOKS_MS, () => rm(file, { force: true }));
  assert.deepEqual(versions, [2]);
  await writeRegistry(file, version(3));
  await eventually("version 3", () => versions.at(-1) === 3);
  assert.deepEqual(ignored(), []);
});

test("the same version again changes nothing and is no complaint", async (t) => {
  const { file, versions, ignored } = await follow(t, { before: (path) => writeRegistry(path, version(2)) });
  await throughout(SOME_LOOKS_MS, () => writeRegistry(file, version(2)));
  assert.deepEqual([versions, ignored()], [[2], []]);
});

test("an empty registry is a start, since nothing better is known", async (t) => {
  const { versions } = await follow(t, { before: (file) => writeRegistry(file, registry(1, [])) });
  assert.deepEqual(versions, [1]);
});

const wedges: readonly [string, (file: string) => Promise<unknown>, RegExp][] = [
  ["a pipe that nobody writes to", (file) => promisify(execFile)("mkfifo", [file]), /^it is no regular file$/],
  ["a directory", (file) => mkdir(file), /^it is no regular file$/],
  ["a device without an end", (file) => symlink("/dev/zero", file), /^it is no regular file$/],
  ["a file of 100 MB", (file) => writeAtomically(file, "x".repeat(100_000_000)), /^it is larger than 4194304 bytes$/],
  [
    "a version past which nobody can count",
    (file) => writeFile(file, JSON.stringify(version(Number.MAX_SAFE_INTEGER))),
    /^version: it is too large/,
  ],
];

for (const [what, put, reason] of wedges) {
  test(`${what} in the file's place is passed over, and what comes behind it is taken`, async (t) => {
    const { file, versions, ignored } = await follow(t, { before: (path) => writeRegistry(path, version(2)) });
    await rm(file);
    await put(file);
    await eventually("a line about it", () => ignored().length > 0);
    assert.match(String(ignored()[0]), reason);
    assert.deepEqual(versions, [2]);
    await rm(file, { recursive: true });
    await writeRegistry(file, version(3));
    await eventually("version 3", () => versions.at(-1) === 3, 2_000);
  });
}

test("a reading that never comes back holds up neither the start nor the next readings", async (t) => {
  let hangs = 0;
  const read: ReadFile = (file, known) => {
    if (hangs > 0) return readRegistryFile(file, known);
    hangs += 1;
    return new Promise(() => {});
  };
  const inline = JSON.stringify(version(1));
  const { versions, ignored } = await follow(t, { inline, read, before: (file) => writeRegistry(file, version(2)) });
  assert.deepEqual(versions, [1]);
  await eventually("version 2", () => versions.at(-1) === 2, 2_000);
  assert.match(String(ignored()[0]), /^nothing came of reading it within 2000 ms$/);
});

test("nothing is followed after the stop", async (t) => {
  const stopping = new AbortController();
  const file = join(await temporaryDirectory(t), "registry.json");
  await writeRegistry(file, version(1));
  const versions: number[] = [];
  const settings = { REGISTRY: undefined, REGISTRY_FILE: file, REGISTRY_URL: undefined };
  const onChange = (document: Registry) => void versions.push(document.version);
  await followRegistry({ settings, log: recordedLog().log, stop: stopping.signal, onChange });
  stopping.abort();
  await writeRegistry(file, version(2));
  await throughout(SOME_LOOKS_MS, () => {});
  assert.deepEqual(versions, [1]);
});

test("a file that cannot be read at the start ends it, naming setting, file and reason", async (t) => {
  const broken = follow(t, { before: (file) => writeFile(file, "{") });
  await assert.rejects(broken, refusesToStart("REGISTRY_FILE", "registry.json", "not JSON"));
});

test("a broken REGISTRY ends the start even where the file is good", async (t) => {
  const broken = follow(t, { inline: "{}", before: (file) => writeRegistry(file, version(1)) });
  await assert.rejects(broken, refusesToStart("REGISTRY holds", "schema"));
});

test("a broken file is only logged where REGISTRY is good", async (t) => {
  const inline = JSON.stringify(version(4));
  const { versions, ignored } = await follow(t, { inline, before: (file) => writeFile(file, "{") });
  assert.deepEqual(versions, [4]);
  assert.equal(ignored().length, 1);
});
