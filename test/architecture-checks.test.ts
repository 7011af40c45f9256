// Each check of architecture.test.ts is shown a made-up file that breaks it, and what it says to that.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  circle,
  crossings,
  impureImports,
  impurities,
  isBarrel,
  linesOf,
  readsEnvironment,
} from "./tools/architecture/checks.ts";
import { overfull } from "./tools/architecture/overfull.ts";
import { disorder, foreignHttp, roomOf, strangers } from "./tools/architecture/room-rules.ts";
import { saidAgain, sharedTypeNames, standsNoMore } from "./tools/architecture/single-rules.ts";
import { headerOf, isPure, sourceOf } from "./tools/architecture/sources.ts";
import { retiredWords } from "./tools/architecture/words.ts";

const broken = sourceOf(
  "services/tier/rules/broken.ts",
  `// Pure. Says so, at least.
import { readFile } from "node:fs/promises"; // not "node:net"
import type { Socket } from "node:net";
import type { IncomingMessage } from "node:http";
import {
  plan,
} from "../../../watchdog/rules/plan.ts";
export * from "../../runtime/ports.ts";
const late = import("../../../watchdog/watchdog.ts");
const text = 'Math.random and process';
const now = Date.now(); /* setTimeout */ const all = \`\${process.env.HOME}\`;
`,
);
const { path } = broken;
const ports = sourceOf("services/runtime/ports.ts", 'import "../tier/rules/broken.ts";');
const byPath = new Map([broken, ports].map((source) => [source.path, source]));
const withCode = (code: string, file = "services/tier/cluster/made-up.ts") => sourceOf(file, `// A file.\n${code}\n`);

test("what a Pure file must not do is seen, and not what stands in comments and quotes", () => {
  assert.ok(isPure(broken));
  assert.deepEqual(impurities(broken), [
    `${path} imports node:fs/promises`,
    `${path} uses Date.now`,
    `${path} uses process`,
  ]);
  assert.deepEqual(impureImports(broken, byPath), [`${path} imports services/runtime/ports.ts`]);
});

test("an import of watchdog/ is seen, whatever its kind", () => {
  assert.deepEqual(crossings(broken), [
    `${path} imports watchdog/rules/plan.ts (static)`,
    `${path} imports watchdog/watchdog.ts (dynamic)`,
  ]);
});

test("an environment that is read, a barrel and a missing header are seen", () => {
  assert.ok(readsEnvironment(broken) && isBarrel(broken));
  assert.equal(headerOf(sourceOf("services/x.ts", "export const x = 1;")), "");
});

test("a circle is seen, of types too", () => {
  assert.deepEqual(circle([broken, ports]), [path, "services/runtime/ports.ts", path]);
  const one = sourceOf("a.ts", 'import type { B } from "./b.ts";');
  const other = sourceOf("b.ts", 'import type { A } from "./a.ts";');
  assert.deepEqual(circle([one, other]), ["a.ts", "b.ts", "a.ts"]);
});

test("an import that is not in its room's row is seen; of a room that has to be pure, one that is not", () => {
  assert.equal(roomOf("services/tier/tier.ts"), "services/tier");
  assert.equal(roomOf("watchdog/engines/docker/deeper/file.ts"), "watchdog/engines/docker");
  assert.equal(roomOf("elsewhere/file.ts"), "no room");
  assert.deepEqual(strangers(broken, byPath), [
    `${path} > watchdog/rules/plan.ts`,
    `${path} > services/runtime/ports.ts`,
  ]);
  const upwards = withCode('import type { Retry } from "../forward/retry.ts";\nimport "../rules/headers.ts";');
  assert.deepEqual(strangers(upwards, byPath), [`${upwards.path} > services/tier/forward/retry.ts`]);
});

test("a row that names one below itself, or none at all, is seen", () => {
  const table = { "services/runtime": { may: ["services/tier"] }, "services/tier": { may: ["services/runtime", "x"] } };
  assert.deepEqual(disorder(table), ["services/runtime > services/tier", "services/tier > x"]);
});

test("node:http and undici are seen where they may not be known, types too", () => {
  assert.deepEqual(foreignHttp(broken), [`${path} > node:http`]);
  const listener = withCode(
    'import type { Server } from "node:http";\nimport { Agent } from "undici";',
    "services/tier/forward/made-up.ts",
  );
  assert.deepEqual(foreignHttp(listener), [`${listener.path} > node:http`, `${listener.path} > undici`]);
});

test("a retired word is seen in identifiers, kinds, log events and file names, and not in English", () => {
  const source = withCode(
    `// The wish of a roster.
const onTrial = "our wish"; class Line {} const online = { kind: "undo" };
log("probe-goes-on"); const name = "x-aside"; this.#leaveLost(hasPlace);`,
    "services/tier/cluster/own-witness.ts",
  );
  const said = ["Line", "hasPlace", "leaveLost", "onTrial", "own_witness", "probe-goes-on", "undo"];
  assert.deepEqual(
    retiredWords(source),
    said.map((word) => `${source.path}: ${word}`),
  );
});

const again: readonly [rule: string, code: string][] = [
  ["the names of Compose's labels", 'const label = "com.docker.compose.project";'],
  ["exponential back-off", "const waitMs = 100 * 2 ** failures;"],
  ["an atomic write: a rename over the file", "await rename(temporary, file);"],
  ["an IPv6 address in brackets", `const url = \`http://[\${host}]:80\`;`],
  ["a failure told on stderr: complain", "console.error(reason);"],
  ["the list of roles", 'if (role === "proxy" || role === "server" || role === "balancer") serve();'],
  ["the clock that people set, Date.now()", "const deadlineMs = Date.now() + 5;"],
];

for (const [rule, code] of again) {
  test(`a rule that is said again is seen: ${rule}`, () => {
    const source = withCode(code);
    assert.deepEqual(saidAgain(source), [`${source.path}: ${rule}`]);
    assert.deepEqual(saidAgain(withCode(`/* ${code} */`)), []);
  });
}

test("a place in which a rule no longer stands is seen", () => {
  const backoff = withCode("export const nothing = 1;", "services/runtime/backoff.ts");
  assert.ok(standsNoMore(new Map([[backoff.path, backoff]])).includes(`${backoff.path}: exponential back-off`));
});

test("two exported types of one name are seen", () => {
  const [one, other] = [withCode("export interface Answer {}", "a.ts"), withCode("export type Answer = 1;", "b.ts")];
  assert.deepEqual(sharedTypeNames([one, other, withCode("interface Answer {}", "c.ts")]), ["Answer: a.ts, b.ts"]);
});

test("a long file and a full folder are seen", () => {
  assert.equal(linesOf(withCode("x\n".repeat(300))), 301);
  const files = Array.from({ length: 13 }, (_, index) => `services/tier/cluster/file-${index}.ts`);
  assert.deepEqual(overfull(files), ["services/tier/cluster: 13 files"]);
  assert.deepEqual(overfull(files.slice(1)), []);
});
