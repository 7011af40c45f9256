// The bench of the request chain in its smallest form: ours alone, without the tools that it would measure beside it. What its
// report says is counted right, and nothing that it started is left running, not even after Ctrl-C.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { familyOf } from "../../bench/chain/children.ts";
import { isAlive } from "../tools/children.ts";
import { eventually, within } from "../tools/eventually.ts";
import { temporaryDirectory } from "../tools/registry.ts";
import type { Scope } from "../tools/scope.ts";

const BENCH = fileURLToPath(new URL("../../bench/chain.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const RUN_MS_MAX = 60_000;
const TIERS = 3;

function start(scope: Scope, parameters: readonly string[]) {
  const all = ["--import", "tsx", BENCH, "--chains", "ours", "--scenario", "get-64", "--rounds", "1", ...parameters];
  // No nginx and no wrk is found, so that it is the same run on every machine.
  const child = spawn(process.execPath, all, { cwd: ROOT, env: { PATH: "/nonexistent" }, stdio: "ignore" });
  scope.after(() => void child.kill("SIGKILL"));
  return child;
}

test("one scenario gives a report of the right shape, and leaves nothing running", async (t) => {
  const folder = await temporaryDirectory(t);
  const [json, plots] = [join(folder, "report.json"), join(folder, "plots")];
  const bench = start(t, ["--seconds", "1", "--warm", "1", "--json", json, "--plots", plots]);
  const [code] = await within(RUN_MS_MAX, "the bench ends", once(bench, "close"));
  const report = JSON.parse(await readFile(json, "utf8"));
  assert.deepEqual([code, report.leftOut], [0, []]);
  const [sample, ...more] = report.samples;
  assert.equal(more.length, 0);
  const { figures, ...names } = sample;
  assert.deepEqual(names, { scenario: "get-64", part: "", stack: "ours", round: 0, wrong: [] });
  for (const figure of ["requestsPerSecond", "p50Ms", "p99Ms"]) assert.ok(figures[figure] > 0, figure);
  assert.equal(figures.failedShare, 0);
  assert.deepEqual(report.rows[0].ratios.requestsPerSecond, { median: 1, min: 1, max: 1 });
  assert.deepEqual((await readdir(plots)).sort(), ["p99.svg", "requests.svg", ...cpuPlot(figures)].sort());
  assert.equal(report.pids.length, TIERS + 1);
  assert.deepEqual(report.pids.filter(isAlive), []);
});

test("Ctrl-C in the middle stops everything that runs", { skip: process.platform !== "linux" }, async (t) => {
  const bench = start(t, ["--seconds", "600", "--warm", "0"]);
  const pid = bench.pid as number;
  const family = await eventually("all processes run", () => {
    const found = familyOf(pid);
    return found.filter(isTier).length === TIERS ? found : undefined;
  });
  bench.kill("SIGINT");
  const [code] = await within(RUN_MS_MAX, "the bench ends", once(bench, "close"));
  assert.equal(code, 130);
  assert.deepEqual(family.filter(isAlive), []);
});

function isTier(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("services/main.js");
  } catch {
    return false;
  }
}

/** Processor time is read from /proc, which Linux alone has. */
const cpuPlot = ({ cpuUs }: { cpuUs: number }) => (cpuUs > 0 ? ["cpu.svg"] : []);
