// The shape of the code, held by reading it: what a Pure file may touch, who may import whom, who may read the environment,
// and how large a file may be. Each check is also shown a file that breaks it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { headerOf, isPure, type Source, sourceOf, sourcesOf } from "./tools/sources.ts";

const LINES_MAX = 250;

const services = sourcesOf("services");
const all = [...services, ...sourcesOf("watchdog")];
const byPath = new Map(all.map((source) => [source.path, source]));

const IMPURE =
  /\b(Date\.now|new Date\(\s*\)|Math\.random|performance|process|setTimeout|setInterval|setImmediate|queueMicrotask|crypto|fetch|console)\b/g;

/** What a Pure file must not do, each as one line. */
function impurities({ path, code, imports }: Source): string[] {
  const modules = imports.filter(
    ({ kind, from }) => kind !== "type" && (from.startsWith("node:") || from === "undici"),
  );
  const words = code.match(IMPURE) ?? [];
  return [...modules.map(({ from }) => `${path} imports ${from}`), ...words.map((word) => `${path} uses ${word}`)];
}

/** Imports that run code of a file that is not Pure: they would bring in by the back door what is kept out at the front. */
function impureImports({ path, imports }: Source): string[] {
  return imports.flatMap(({ from, relative, kind }) => {
    const imported = relative ? byPath.get(from) : undefined;
    return imported && kind !== "type" && !isPure(imported) ? [`${path} imports ${from}`] : [];
  });
}

function crossings({ path, imports }: Source): string[] {
  return imports.flatMap(({ from, kind }) => {
    const lazily = path === "services/main.ts" && kind === "dynamic";
    return from.startsWith("watchdog/") && !lazily ? [`${path} imports ${from} (${kind})`] : [];
  });
}

/** The first circle of imports, as the files on it. Types count: who needs whom to be understood is the point. */
function circle(sources: readonly Source[]): readonly string[] {
  const done = new Set<string>();
  const known = new Map(sources.map((source) => [source.path, source]));
  function from(path: string, way: readonly string[]): readonly string[] {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const { from: next, kind } of known.get(path)?.imports ?? []) {
      const found = kind === "dynamic" ? [] : from(next, [...way, path]);
      if (found.length > 0) return found;
    }
    done.add(path);
    return [];
  }
  return sources.map(({ path }) => from(path, [])).find((found) => found.length > 0) ?? [];
}

const readsEnvironment = ({ code }: Source) =>
  /\bprocess\s*\.\s*env\b|\bprocess\s*\[|\benv\s*}\s*=\s*process\b/.test(code);
const isBarrel = ({ code }: Source) => /^export\s+(\*|\{[^}]*\}\s+from)/m.test(code);
const linesOf = ({ text }: Source) => text.trimEnd().split("\n").length;

test("the folders are read", () => {
  assert.ok(services.length > 20, `${services.length} files`);
  const pure = all.filter(isPure).map(({ path }) => path);
  for (const name of ["cluster/members", "cluster/health", "cluster/choose", "rules/headers", "rules/failures"]) {
    assert.ok(pure.includes(`services/tier/${name}.ts`), name);
  }
  for (const name of ["rules/plan", "rules/stop-intent", "rules/restart-policy", "engines/docker/twin/recreate"])
    assert.ok(pure.includes(`watchdog/${name}.ts`), name);
});

test("a Pure file has no clock, dice, environment, timer, socket or file", () => {
  assert.deepEqual(all.filter(isPure).flatMap(impurities), []);
});

test("a Pure file runs no code of a file that is not", () => {
  assert.deepEqual(all.filter(isPure).flatMap(impureImports), []);
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

test("imports have no circle", () => assert.deepEqual(circle(all), []));

test("the environment is read by config.ts alone, and by the program that must not load it", () => {
  const readers = all.filter(readsEnvironment).map(({ path }) => path);
  assert.deepEqual(readers, ["services/main.ts", "services/runtime/config.ts"]);
});

test("every file opens with what it is for, in six lines at most, or more only where they hold a table", () => {
  const headers = all.map((source): [string, string[]] => [source.path, headerOf(source).split("\n")]);
  for (const [path, lines] of headers) {
    assert.ok((lines[0] as string).length > 20, `${path} opens with no comment`);
    const prose = lines.filter((line) => line !== "" && !line.startsWith("  "));
    assert.ok(prose.length <= 6, `${path} opens with ${prose.length} lines`);
  }
});

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const long = all
    .filter((source) => linesOf(source) > LINES_MAX)
    .map((source) => `${source.path}: ${linesOf(source)}`);
  assert.deepEqual(long, []);
});

test("no file passes on what another one exports", () => {
  assert.deepEqual(
    all.filter(isBarrel).map(({ path }) => path),
    [],
  );
});

test("the checks see what they look for", () => {
  const broken = sourceOf(
    "services/tier/broken.ts",
    `// Pure. Says so, at least.
import { readFile } from "node:fs/promises"; // not "node:net"
import type { Socket } from "node:net";
import {
  plan,
} from "../../watchdog/rules/plan.ts";
export * from "../runtime/ports.ts";
const late = import("../../watchdog/watchdog.ts");
const text = 'Math.random and process';
const now = Date.now(); /* setTimeout */ const all = \`\${process.env.HOME}\`;
`,
  );
  assert.ok(isPure(broken));
  const path = broken.path;
  assert.deepEqual(impurities(broken), [
    `${path} imports node:fs/promises`,
    `${path} uses Date.now`,
    `${path} uses process`,
  ]);
  assert.deepEqual(impureImports(broken), [
    `${path} imports services/runtime/ports.ts`,
    `${path} imports watchdog/watchdog.ts`,
  ]);
  assert.deepEqual(crossings(broken), [
    `${path} imports watchdog/rules/plan.ts (static)`,
    `${path} imports watchdog/watchdog.ts (dynamic)`,
  ]);
  assert.ok(readsEnvironment(broken) && isBarrel(broken));
  const other = sourceOf("services/runtime/ports.ts", 'import "../tier/broken.ts";');
  assert.deepEqual(circle([broken, other]), [path, "services/runtime/ports.ts", path]);
  assert.equal(headerOf(sourceOf("services/x.ts", "export const x = 1;")), "");
});
