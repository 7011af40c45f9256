// The registry's file over time: what a watchdog goes on from, and that the version only grows, whatever becomes of the file.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Registry } from "../../services/registry/document.ts";
import { followRegistry } from "../../services/registry/follower.ts";
import { RegistryWriter } from "../../watchdog/act/registry-writer.ts";
import { eventually } from "../tools/eventually.ts";
import { recordedLog } from "../tools/log.ts";
import type { Scope } from "../tools/scope.ts";
import { serving } from "../tools/watchdog/slot-states.ts";

/** Above any count of changes. */
const ANEW = 1_700_000_000;
const round = { slotStates: [serving("server-1")], steps: [], generations: new Map([["server-1", 1]]) };

async function stage(t: Scope) {
  const directory = await mkdtemp(join(tmpdir(), "evenkeel-publisher-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, "registry.json");
  const open = async (follows: boolean) => {
    const writer = new RegistryWriter(file, () => {});
    await writer.open(follows);
    return writer;
  };
  const written = async () => JSON.parse(await readFile(file, "utf8")) as Registry;
  return { directory, file, open, written };
}

test("the first document is version 1, and one like it is not written again", async (t) => {
  const { open, written } = await stage(t);
  const writer = await open(false);
  await writer.publish(round);
  await writer.publish(round);
  assert.equal((await written()).version, 1);
});

test("the next watchdog goes on from the version that is there", async (t) => {
  const { open, written } = await stage(t);
  await (await open(false)).publish(round);
  await (await open(true)).publish({ ...round, generations: new Map([["server-1", 2]]) });
  assert.equal((await written()).version, 2);
});

test("a file that is deleted is written again, with a version that followers take", async (t) => {
  const { file, open, written } = await stage(t);
  const writer = await open(false);
  await writer.publish(round);
  await rm(file);
  await writer.publish(round);
  assert.equal((await written()).version, 2);
});

test("where an earlier watchdog's file is missing, the version is above whatever it was", async (t) => {
  const { open, written } = await stage(t);
  await (await open(true)).publish(round);
  assert.ok((await written()).version > ANEW);
});

test("a file that cannot be read is put aside whole, and the version is above whatever it was", async (t) => {
  const { directory, file, open, written } = await stage(t);
  await writeFile(file, "{ half a doc");
  await (await open(false)).publish(round);
  assert.ok((await written()).version > ANEW);
  const [previous] = (await readdir(directory)).filter((name) => name.startsWith("registry.json.broken-"));
  assert.equal(await readFile(join(directory, previous ?? ""), "utf8"), "{ half a doc");
});

test("a version past which nobody can count is put aside like what cannot be read", async (t) => {
  const { file, open, written } = await stage(t);
  const forged = { schema: 1, version: Number.MAX_SAFE_INTEGER, writtenAt: "2026-11-22T12:00:00.000Z", members: [] };
  await writeFile(file, JSON.stringify(forged));
  await (await open(false)).publish(round);
  const { version } = await written();
  assert.ok(version > ANEW && version < 2 * ANEW, String(version));
});

/** The last version, those before it, and where the other half of the circle begins. */
const turns = [2 ** 52 - 3, 2 ** 52 - 2, 2 ** 52 - 1, 2 ** 51 - 1, 2 ** 51];

for (const version of turns) {
  test(`whoever follows version ${version}, which somebody wrote, follows what the watchdog writes then`, async (t) => {
    const { file, open, written } = await stage(t);
    const writer = await open(false);
    await writer.publish(round);
    await writeFile(file, JSON.stringify({ ...(await written()), version }));
    const stopping = new AbortController();
    t.after(() => stopping.abort());
    const { log, events } = recordedLog();
    const seen: Registry[] = [];
    const onChange = (registry: Registry) => void seen.push(registry);
    await followRegistry({
      settings: { REGISTRY: undefined, REGISTRY_FILE: file, REGISTRY_URL: undefined },
      log,
      stop: stopping.signal,
      onChange,
    });
    assert.equal(seen.at(-1)?.version, version);
    for (const generation of [2, 3, 4]) {
      await writer.publish({ ...round, generations: new Map([["server-1", generation]]) });
      await eventually(`generation ${generation}`, () => seen.at(-1)?.members[0]?.generation === generation);
    }
    const next = await open(true);
    await next.publish({ ...round, generations: new Map([["server-1", 5]]) });
    await eventually("what the next watchdog wrote", () => seen.at(-1)?.members[0]?.generation === 5);
    assert.deepEqual(
      events.filter(({ event }) => event === "registry-failing"),
      [],
    );
  });
}

test("a pipe in the file's place is put aside, and waited for by nobody", async (t) => {
  const { file, open, written } = await stage(t);
  await promisify(execFile)("mkfifo", [file]);
  await (await open(false)).publish(round);
  assert.ok((await written()).version > ANEW);
});

test("what somebody else writes over the file is overtaken in the next round, whatever its version", async (t) => {
  const { file, open, written } = await stage(t);
  const writer = await open(false);
  await writer.publish(round);
  await writeFile(file, JSON.stringify({ ...(await written()), version: 7_000, members: [] }));
  await writer.publish(round);
  const { version, members } = await written();
  assert.deepEqual([version, members.length], [7_001, 1]);
  await writer.publish(round);
  assert.equal((await written()).version, 7_001);
});
