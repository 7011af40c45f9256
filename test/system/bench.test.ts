// The bench of the request chain in its smallest form: ours beside stock http-proxy, without the tools of the machine. What its
// report says is counted right, what it has written it can read again, and nothing that it started is left running, not even after
// Ctrl-C.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { familyOf } from "../../bench/chain/children.ts";
import type { Figures } from "../../bench/chain/sample.ts";
import type { Row } from "../../bench/chain/summary.ts";
import { eventually, within } from "../tools/eventually.ts";
import { isAlive } from "../tools/process/pids.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import type { Scope } from "../tools/scope.ts";

const BENCH = fileURLToPath(new URL("../../bench/chain.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RUN_MS_MAX = 60_000;
/** Of each of both. */
const TIERS = 3;

function start(scope: Scope, parameters: readonly string[]) {
  const all = [
    "--import",
    "tsx",
    BENCH,
    "--chains",
    "ours,http-proxy",
    "--scenario",
    "get-64",
    "--rounds",
    "1",
    ...parameters,
  ];
  // No nginx and no wrk is found, so that it is the same run on every machine.
  const child = spawn(process.execPath, all, { cwd: ROOT, env: { PATH: "/nonexistent" }, stdio: "ignore" });
  scope.after(() => void child.kill("SIGKILL"));
  return child;
}

/** Without a scenario of its own: for what measures nothing. */
async function run(scope: Scope, parameters: readonly string[]) {
  const child = spawn(process.execPath, ["--import", "tsx", BENCH, ...parameters], { cwd: ROOT, stdio: "pipe" });
  scope.after(() => void child.kill("SIGKILL"));
  const closed = within(RUN_MS_MAX, "it ends", once(child, "close"));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await closed;
  return { code, stdout, stderr };
}

test("one scenario gives a report of the right shape, and leaves nothing running", async (t) => {
  const folder = await temporaryDirectory(t);
  const [json, plots] = [join(folder, "report.json"), join(folder, "plots")];
  const bench = start(t, ["--seconds", "1", "--warm", "1", "--json", json, "--plots", plots]);
  const [code] = await within(RUN_MS_MAX, "the bench ends", once(bench, "close"));
  const report = JSON.parse(await readFile(json, "utf8"));
  assert.deepEqual([code, report.leftOut], [0, []]);
  const chains = report.chains.map(({ name }: { name: string }) => name);
  assert.deepEqual(chains, ["ours", "http-proxy"], "both are here after npm ci");
  assert.equal(report.samples.length, 2);
  for (const [index, stack] of ["ours", "http-proxy"].entries()) {
    const { figures, ...names } = report.samples[index];
    assert.deepEqual(names, { scenario: "get-64", part: "", stack, round: 0, wrong: [] });
    for (const figure of ["requestsPerSecond", "p50Ms", "p99Ms"]) assert.ok(figures[figure] > 0, figure);
    assert.equal(figures.failedShare, 0);
  }
  const [ours, other] = report.samples.map((sample: { figures: Figures }) => sample.figures.requestsPerSecond);
  const ratios = report.rows.map((row: Row) => row.ratios.requestsPerSecond?.median);
  assert.deepEqual(ratios, [1, other / ours]);
  const { cpuUs } = report.samples[0].figures;
  assert.deepEqual((await readdir(plots)).sort(), ["p99.svg", "requests.svg", ...cpuPlot(cpuUs)].sort());
  assert.equal(report.pids.length, 2 * TIERS + 1);
  assert.deepEqual(report.pids.filter(isAlive), []);

  const again = await run(t, ["--from", json, "--from", json, "--json", join(folder, "never.json")]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^\| http-proxy +\| \d\.\d\d +\|/m);
});

test("what it cannot do is said in one line: a wrong option, the other bench's options, a file that is no report", async (t) => {
  const folder = await temporaryDirectory(t);
  const [empty, absent] = [join(folder, "empty.json"), join(folder, "absent.json")];
  await writeFile(empty, "{}");
  for (const [parameters, code, says] of [
    [["--scenario", "none"], 2, /^--scenario none: there is no such scenario$/],
    [["--kills", "5"], 2, /^--kills belongs to the measure of recovery: npm run bench:recovery -- --kills 5$/],
    [["--from", empty], 1, /^--from .*empty.json: it is not what --json wrote$/],
    [["--from", absent], 1, /^--from .*absent.json: ENOENT/],
  ] as const) {
    const { stderr, ...outcome } = await run(t, parameters);
    assert.deepEqual(outcome, { code, stdout: "" });
    assert.match(stderr.split("\n")[0] ?? "", says);
    if (code === 1) assert.equal(stderr.trimEnd().split("\n").length, 1);
  }
});

test("Ctrl-C in the middle stops everything that runs", { skip: process.platform !== "linux" }, async (t) => {
  const bench = start(t, ["--seconds", "600", "--warm", "0"]);
  const pid = bench.pid as number;
  const family = await eventually("all processes run", () => {
    const found = familyOf(pid);
    return found.filter(isTier).length === 2 * TIERS ? found : undefined;
  });
  bench.kill("SIGINT");
  const [code] = await within(RUN_MS_MAX, "the bench ends", once(bench, "close"));
  assert.equal(code, 130);
  assert.deepEqual(family.filter(isAlive), []);
});

function isTier(pid: number): boolean {
  try {
    return /services\/main\.js|node-library-hop\.mjs/.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  } catch {
    return false;
  }
}

/** Processor time is read from /proc, which Linux alone has. */
const cpuPlot = (cpuUs: number) => (cpuUs > 0 ? ["cpu.svg"] : []);
