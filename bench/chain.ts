// `npm run bench`: the request chain, client -> balancer -> 2 proxies -> 6 servers on loopback, ours beside others in one
// run. Prints ratios with their spread, and writes samples and plots where it is told to. It judges answers, never figures: exit
// code 1 says that ours gave a wrong one or did not start.

import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Children } from "./chain/children.ts";
import { type Options, readOptions, USAGE } from "./chain/options.ts";
import { plotsOf } from "./chain/plots/plots.ts";
import { compilePrograms } from "./chain/programs.ts";
import { headOf, type Report, samplesFrom } from "./chain/report.ts";
import { type Plan, type Results, run } from "./chain/run.ts";
import type { Sample } from "./chain/sample.ts";
import { stacksFor } from "./chain/stacks/all.ts";
import { type Row, summarize } from "./chain/summary.ts";
import { reportOf } from "./chain/text.ts";
import { versionOf } from "./chain/tools.ts";
import type { Means } from "./chain/turn.ts";

const INTERRUPTED = 130;

async function main(): Promise<void> {
  const options = optionsOrUsage();
  if (options.from.length > 0) return again(options);
  const children = new Children();
  const folder = await mkdtemp(join(tmpdir(), "evenkeel-bench-"));
  // Servers that give up root read files in here.
  await chmod(folder, 0o755);
  const leave = async () => {
    await children.stopAll();
    await rm(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void leave().then(() => process.exit(INTERRUPTED)));
  }
  try {
    await bench(options, children, folder);
  } finally {
    await leave();
  }
}

/** Tables and plots of what was measured before. */
async function again(options: Options): Promise<void> {
  const samples = await samplesFrom(options.from);
  const stacks = [...new Set(samples.map(({ stack }) => stack))];
  const baseline = stacks.find((name) => name === options.baseline) ?? stacks[0] ?? "";
  await tell(samples, baseline, options);
}

async function bench(options: Options, children: Children, folder: string): Promise<void> {
  const plan = await planOf(options, { children, folder });
  const baseline = plan.stacks.find(({ name }) => name === options.baseline)?.name ?? plan.stacks[0]?.name ?? "";
  for (const { name, about } of plan.stacks) console.log(`${name}: ${about}`);
  const head = headOf(options, plan.stacks);
  const results = await run(plan);
  const rows = await tell(results.samples, baseline, options);
  const report: Report = { ...head, baseline, ...results, rows, pids: children.pids };
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 1)}\n`);
  process.exitCode = isRight(results, options) ? 0 : 1;
}

async function tell(samples: readonly Sample[], baseline: string, { plots }: Options): Promise<readonly Row[]> {
  const rows = summarize(samples, baseline);
  for (const line of reportOf(rows, baseline)) console.log(line);
  if (plots !== undefined) await writePlots(plots, plotsOf(rows, baseline));
  return rows;
}

async function planOf(options: Options, { children, folder }: Pick<Means, "children" | "folder">): Promise<Plan> {
  const programs = await compilePrograms(folder);
  const { stacks, missing } = await stacksFor(options, programs);
  const [hasNginx, hasWrk] = [versionOf("nginx") !== undefined, versionOf("wrk") !== undefined];
  for (const name of missing) console.log(`left out: ${name} is not on this machine`);
  if (!hasWrk) console.log("left out: wrk is not on this machine; the load comes from Node and takes more from it");
  const { scenarios, rounds, seconds, warmUpSeconds, together } = options;
  const means = { seconds, folder, hasWrk, children };
  const say = (line: string) => console.error(line);
  return { scenarios, stacks, rounds, warmUpSeconds, together, means, programs, hasNginx, say };
}

async function writePlots(folder: string, plots: ReturnType<typeof plotsOf>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { file, svg } of plots) await writeFile(join(folder, file), svg);
}

function isRight({ samples, leftOut }: Results, { against }: Options): boolean {
  const ours = ["ours", ...against.map(({ label }) => label)];
  const wrong = samples.some(({ stack, wrong }) => ours.includes(stack) && wrong.length > 0);
  return !wrong && !leftOut.some((line) => ours.some((name) => line.startsWith(`${name} in `)));
}

function optionsOrUsage(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}\n`);
    return process.exit(2);
  }
}

await main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
