// The chaos command where users run it: in the watchdog's container, on a real Docker Engine with Compose. It has a socket of its
// own there, where somebody wants that. `CAMPAIGN=full node --import tsx --test test/docker/chaos-compose.test.ts` does it for five minutes.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, test } from "node:test";
import type { ChaosReport } from "../../watchdog/chaos/report.ts";
import { type ComposeSystem, emptyProject } from "../tools/compose/system.ts";
import { dockerSkip as skip } from "../tools/docker/docker.ts";
import { eventually } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import { fileScope } from "../tools/scope.ts";

const STOPS_WITHIN_MS = 60_000;
/** With it every kind comes, and no group loses all of its servers at one time. */
const SEED = "715";
// Not CHAOS: that is a setting, and Compose would hand it on.
const SECONDS = process.env.CAMPAIGN === "full" ? 300 : 25;

const scope = fileScope();
let system: ComposeSystem;

before(async () => {
  if (skip !== false) return;
  system = await emptyProject(scope);
  await system.must("up", "--build", "--wait");
});

test("chaos may touch no container unless somebody wants that, and says how", { skip }, async () => {
  const { code, stdout, stderr } = await chaos("--seconds", "1");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.equal(
    stderr,
    "chaos is not allowed to touch a container here: CHAOS=yes docker compose up -d watchdog, and again without it afterwards\n",
  );
  const wanted = join(await temporaryDirectory(scope), "chaos.yml");
  await writeFile(wanted, 'services: { watchdog: { environment: { CHAOS: "yes" } } }\n');
  await system.with([wanted]).must("up", "--wait", "watchdog");
  await system.serves();
});

const chaos = (...words: readonly string[]) => system.compose("exec", "-T", "watchdog", "node", "chaos.js", ...words);

test(`${SECONDS} seconds of killed, stopped, hung and removed containers cost no GET, and every slot recovers`, {
  skip,
}, async (t) => {
  const order = ["--seconds", String(SECONDS), "--seed", SEED, "--rate", "50", "--every-ms", "3000", "--json"];
  const { code, stdout, stderr } = await chaos(...order, "--faults", "kill,stop,hang,remove");
  for (const line of stderr.trimEnd().split("\n")) t.diagnostic(line);
  t.diagnostic(stdout.trim());
  const report = JSON.parse(stdout) as ChaosReport;
  assert.deepEqual(report.load.failures, {});
  assert.deepEqual([code, report.passed, report.leftOut], [0, true, []]);
  assert.ok(report.faults.all.count >= 5, `${report.faults.all.count} faults`);
  assert.equal(report.faults.all.recovered, report.records.length);
  assert.match(String(report.versions.engine), /^Docker \d/);
});

test("ended early, chaos starts what it has stopped", { skip }, async () => {
  await system.serves();
  const run = chaos("--minutes", "5", "--rate", "20", "--faults", "stop", "--json");
  await eventually("a stopped server", async () => (await stopped()).length > 0, STOPS_WITHIN_MS);
  await system.must("exec", "-T", "watchdog", "sh", "-c", END);
  const { stdout } = await run;
  const report = JSON.parse(stdout) as ChaosReport;
  assert.deepEqual([report.endedEarly, report.passed], [true, true], stdout);
  assert.deepEqual(await stopped(), []);
});

test("neither the watchdog's calls nor chaos's were refused", { skip }, async () => {
  assert.deepEqual(await system.refusedCalls(), []);
});

/** Tells the running command, and nothing else, to end. */
const END =
  "cd /proc; for p in [0-9]*; do tr '\\0' ' ' <$p/cmdline | grep -q '^node chaos.js' && kill -INT $p; done; true";

async function stopped(): Promise<string[]> {
  const containers = await system.containers();
  const exited = containers.filter(({ State, Name }) => State.Status === "exited" && !Name.endsWith("-aside"));
  return exited.map(({ Name }) => Name);
}
