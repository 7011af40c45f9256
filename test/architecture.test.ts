// The shape of the code, held by reading it: the rooms and who may import whom (tools/architecture/rooms.ts), what a Pure file
// may touch, the words and rules of which there is one each, and how large a file may be. The next file shows each check
// something that breaks it.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  circle,
  crossings,
  impureImports,
  impurities,
  isBarrel,
  LINES_MAX,
  linesOf,
  readsEnvironment,
} from "./tools/architecture/checks.ts";
import * as known from "./tools/architecture/known.ts";
import { overfull } from "./tools/architecture/overfull.ts";
import { disorder, foreignHttp, roomOf, strangers } from "./tools/architecture/room-rules.ts";
import { rooms } from "./tools/architecture/rooms.ts";
import { saidAgain, sharedTypeNames, standsNoMore } from "./tools/architecture/single-rules.ts";
import { headerOf, isPure, type Source, sourcesOf } from "./tools/architecture/sources.ts";
import { retiredWords } from "./tools/architecture/words.ts";

const services = sourcesOf("services");
const all = [...services, ...sourcesOf("watchdog")];
const byPath = new Map(all.map((source) => [source.path, source]));
const tools = sourcesOf("test/tools");
/** Beside the table of retired words itself, and what plays requests and answers as bytes. */
const speaking = [...all, ...sourcesOf("test", "bench")].filter(
  ({ path }) => !/^test\/(architecture|tools\/(architecture|rules|wire|differential)\/)/.test(path),
);

/** What is found is what is known, so that a list of what is known gets shorter and never longer. */
function assertOnly(found: readonly string[], expected: readonly string[]): void {
  assert.deepEqual([...found].sort(), [...expected].sort());
}

test("the folders are read", () => {
  assert.ok(services.length > 20, `${services.length} files`);
  const pure = all.filter(isPure).map(({ path }) => path);
  for (const name of ["cluster/members", "cluster/health", "cluster/choose", "rules/headers", "rules/failures"]) {
    assert.ok(pure.includes(`services/tier/${name}.ts`), name);
  }
  for (const name of ["rules/plan", "rules/stop-intent", "rules/restart-policy", "engines/docker/twin/recreate"])
    assert.ok(pure.includes(`watchdog/${name}.ts`), name);
});

test("every room is in the table, and the table has no room that is not there, but for those that are planned", () => {
  assertOnly(
    all.map(({ path }) => path).filter((path) => roomOf(path) === "no room"),
    [],
  );
  const there = new Set(all.map(({ path }) => roomOf(path)));
  const empty = Object.keys(rooms).filter((room) => !there.has(room) && !rooms[room]?.planned);
  assert.deepEqual(empty, []);
});

test("a room imports what its row says, and no row names one below itself, so rooms have no circle", () => {
  assertOnly(
    all.flatMap((source) => strangers(source, byPath)),
    known.imports,
  );
  assert.deepEqual(disorder(rooms), []);
});

test("the tier knows node:http in one room, that of upgrades, and undici nowhere", () => {
  assert.deepEqual(all.flatMap(foreignHttp), []);
});

test("services/ never imports watchdog/, but for main.ts, lazily", () => {
  assert.deepEqual(services.flatMap(crossings), []);
  const main = byPath.get("services/main.ts") as Source;
  assert.ok(main.imports.some(({ from, kind }) => from === "watchdog/watchdog.ts" && kind === "dynamic"));
});

test("every relative import names a file that is there", () => {
  const missing = all.flatMap(({ path, imports }) =>
    imports
      .filter(({ relative, from }) => relative && !byPath.has(from) && from !== "package.json")
      .map(({ from }) => `${path} imports ${from}`),
  );
  assert.deepEqual(missing, []);
});

test("imports have no circle", () => {
  assert.deepEqual(circle(all), []);
  assert.deepEqual(circle(tools), []);
});

test("every file of a pure room is Pure", () => {
  const impure = all.filter((source) => rooms[roomOf(source.path)]?.pure && !isPure(source));
  assert.deepEqual(
    impure.map(({ path }) => path),
    [],
  );
});

test("a Pure file has no clock, dice, environment, timer, socket or file", () => {
  assert.deepEqual(all.filter(isPure).flatMap(impurities), []);
});

test("a Pure file runs no code of a file that is not", () => {
  assert.deepEqual(
    all.filter(isPure).flatMap((source) => impureImports(source, byPath)),
    [],
  );
});

test("the environment is read by config.ts alone, and by the program that must not load it", () => {
  const readers = all.filter(readsEnvironment).map(({ path }) => path);
  assert.deepEqual(readers, ["services/main.ts", "services/runtime/config.ts"]);
});

test("no retired word stands in an identifier, a file's name, a kind or a log event", () => {
  const found = speaking.filter((source) => retiredWords(source).length > 0);
  const said = found.flatMap(retiredWords).filter((line) => !known.words.includes(line.split(": ")[0] as string));
  assert.deepEqual(said, []);
  assertOnly(
    found.map(({ path }) => path),
    known.words,
  );
});

test("each rule stands in one place", () => {
  assertOnly(all.flatMap(saidAgain), known.rules);
  assertOnly(standsNoMore(byPath), known.absent);
});

test("no two exported types have one name", () => {
  assertOnly(
    sharedTypeNames(all).map((line) => line.replace(/:.*/, "")),
    known.types,
  );
});

test("every file opens with what it is for, in six lines at most, or more only where they hold a table", () => {
  const headers = [...all, ...tools].map((source): [string, string[]] => [source.path, headerOf(source).split("\n")]);
  for (const [path, lines] of headers) {
    assert.ok((lines[0] as string).length > 20, `${path} opens with no comment`);
    const prose = lines.filter((line) => line !== "" && !line.startsWith("  "));
    assert.ok(prose.length <= 6, `${path} opens with ${prose.length} lines`);
  }
});

test(`no file is longer than ${LINES_MAX} lines, and no folder holds more files than its row says`, () => {
  const long = [...all, ...tools].filter((source) => linesOf(source) > LINES_MAX);
  assertOnly(
    long.map((source) => `${source.path}: ${linesOf(source)} lines`),
    known.files,
  );
  assertOnly(overfull([...all, ...tools].map(({ path }) => path)), known.folders);
});

test("no file passes on what another one exports", () => {
  assert.deepEqual(
    all.filter(isBarrel).map(({ path }) => path),
    [],
  );
});
