// The registry document: which ones can be read and why the others cannot, and that a reader never sees half of one.
// How a tier follows it is in registry-follower.test.ts.

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import {
  isNewerVersion,
  memberStates,
  nextVersion,
  parseRegistry,
  writeRegistry,
} from "../../services/registry/document.ts";
import { entry, registry, temporaryDirectory } from "../tools/registry.ts";

/** As design.md has it. */
const GOOD = `{ "schema": 1, "version": 42, "writtenAt": "2026-11-22T12:00:00.000Z",
  "members": [
    { "id": "proxy-1",  "role": "proxy",  "group": "1", "host": "172.20.0.3", "port": 8081, "adminPort": 9101, "state": "serving" },
    { "id": "server-4", "role": "server", "group": "2", "host": "172.20.0.9", "port": 9004, "adminPort": 9104, "state": "draining", "generation": 3 } ] }`;

const good = JSON.parse(GOOD);
const [proxy, server] = good.members;
/** The good document with the server's entry changed. */
const withServer = (changes: object) => JSON.stringify({ ...good, members: [proxy, { ...server, ...changes }] });

test("the document of the design is read as it stands", () => {
  assert.deepEqual(parseRegistry(GOOD), { ok: true, registry: good });
});

test("behind each version comes one that is newer, and of two one alone is newer than the other", () => {
  const version = fc.oneof(
    fc.nat(),
    fc.integer({ min: 2 ** 51 - 2, max: 2 ** 51 + 2 }),
    fc.maxSafeNat().map((n) => n % 2 ** 52),
  );
  fc.assert(
    fc.property(version, version, (one, other) => {
      assert.equal(isNewerVersion(nextVersion(one), one), true);
      assert.equal(parseRegistry(JSON.stringify({ ...good, version: nextVersion(one) })).ok, true);
      assert.equal(isNewerVersion(one, other) && isNewerVersion(other, one), false);
    }),
  );
  assert.deepEqual([nextVersion(42), nextVersion(2 ** 52 - 1)], [43, 0]);
});

const readable: readonly [string, string][] = [
  ["no members", JSON.stringify({ ...good, members: [] })],
  ["version 0", JSON.stringify({ ...good, version: 0 })],
  ["a member that is not ours, which has no admin port", withServer({ adminPort: undefined, group: undefined })],
  ["a weight", withServer({ weight: 2.5 })],
  ["a host by name", withServer({ host: "server-4" })],
  ["white space around it", `\n  ${GOOD}\n\n`],
  ...memberStates.map((state): [string, string] => [`state ${state}`, withServer({ state })]),
];

for (const [what, text] of readable) {
  test(`a registry with ${what} can be read`, () => {
    const parsed = parseRegistry(text);
    assert.ok(parsed.ok, JSON.stringify(parsed));
    assert.deepEqual(parsed.registry, JSON.parse(text));
  });
}

const broken: readonly [string, string, RegExp][] = [
  ["an empty file", "", /^it is empty$/],
  ["white space alone", " \n", /^it is empty$/],
  ["half a document", GOOD.slice(0, 100), /^it is not JSON \(.+\)$/],
  ["something else", "<html>", /^it is not JSON \(.+\)$/],
  ["null", "null", /^the document: /],
  ["a list", "[]", /^the document: /],
  ["another schema", JSON.stringify({ ...good, schema: 2 }), /^schema: /],
  ["no version", JSON.stringify({ ...good, version: undefined }), /^version: /],
  ["a version below zero", JSON.stringify({ ...good, version: -1 }), /^version: /],
  ["a version in text", JSON.stringify({ ...good, version: "42" }), /^version: /],
  ["half a version", JSON.stringify({ ...good, version: 1.5 }), /^version: /],
  ["no time", JSON.stringify({ ...good, writtenAt: "yesterday" }), /^writtenAt: /],
  ["no list of members", JSON.stringify({ ...good, members: {} }), /^members: /],
  ["a member without an id", withServer({ id: "" }), /^members\.1\.id: /],
  ["a role that is none", withServer({ role: "watchdog" }), /^members\.1\.role: /],
  ["a member without a host", withServer({ host: undefined }), /^members\.1\.host: /],
  ["port 0", withServer({ port: 0 }), /^members\.1\.port: /],
  ["a port past the last", withServer({ port: 65_536 }), /^members\.1\.port: /],
  ["a port in text", withServer({ port: "9004" }), /^members\.1\.port: /],
  ["admin port 0", withServer({ adminPort: 0 }), /^members\.1\.adminPort: /],
  ["a state that is none", withServer({ state: "up" }), /^members\.1\.state: /],
  ["a weight below zero", withServer({ weight: -1 }), /^members\.1\.weight: /],
  ["a generation below zero", withServer({ generation: -1 }), /^members\.1\.generation: /],
];

for (const [what, text, reason] of broken) {
  test(`a registry with ${what} is refused with a reason of one line`, () => {
    const parsed = parseRegistry(text);
    assert.ok(!parsed.ok);
    assert.match(parsed.reason, reason);
    assert.ok(!parsed.reason.includes("\n"), parsed.reason);
  });
}

test("no text whatever makes the parser throw", () => {
  const cut = fc.nat(GOOD.length).map((length) => GOOD.slice(0, length));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), cut), (text) => {
      const parsed = parseRegistry(text);
      assert.equal(parsed.ok, text === GOOD);
    }),
    { examples: [[GOOD]] },
  );
});

test("what is written is what is read, and nothing else is left in the directory", async (t) => {
  const directory = await temporaryDirectory(t);
  const file = join(directory, "registry.json");
  for (const version of [1, 2]) {
    await writeRegistry(file, { ...good, version });
    assert.deepEqual(parseRegistry(await readFile(file, "utf8")), { ok: true, registry: { ...good, version } });
  }
  assert.deepEqual(await readdir(directory), ["registry.json"]);
});

test("a reader never sees half a document, nor an older one, during 200 writes", async (t) => {
  const file = join(await temporaryDirectory(t), "registry.json");
  // Large enough that a plain write takes more than one step, and of a size that changes.
  const members = (version: number) =>
    Array.from({ length: 500 + version }, (_, port) => entry(`server-${port}`, port + 1));
  await writeRegistry(file, registry(0, members(0)));
  const seen: number[] = [];
  let writing = true;
  const reader = (async () => {
    while (writing) {
      const parsed = parseRegistry(await readFile(file, "utf8"));
      assert.ok(parsed.ok, JSON.stringify(parsed));
      assert.equal(parsed.registry.members.length, 500 + parsed.registry.version);
      assert.ok(parsed.registry.version >= (seen.at(-1) ?? 0));
      seen.push(parsed.registry.version);
    }
  })();
  for (let version = 1; version <= 200; version += 1) await writeRegistry(file, registry(version, members(version)));
  writing = false;
  await reader;
  assert.ok(new Set(seen).size > 10, `the reader saw ${new Set(seen).size} versions`);
});
