// The command that kills, stops, pauses, hangs and removes members at random under a load, and ends with a report.
// Exit code 0: no GET failed, and everything recovered; 1: something did, or nothing could be done; 2: wrong usage.

import { inheritedEnvironment, readSettings, type Settings } from "../../services/runtime/config.ts";
import { complain, exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import { version } from "../../services/runtime/version.ts";
import { Campaign } from "./campaign.ts";
import type { Faults } from "./faults.ts";
import { processFaults } from "./faults-process.ts";
import { Load } from "./load.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { type Report, reportOf } from "./report.ts";
import { recordLine, reportText } from "./report-text.ts";
import { hasRoute } from "./schedule.ts";
import { seeded } from "./seeded.ts";
import { Slots } from "./slots.ts";

async function main(words: readonly string[]): Promise<number> {
  if (words.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const parsed = parseOptions(words);
  if (!parsed.ok) return complain(`${parsed.fault}\n${USAGE}`, exitCode.usage);
  const read = readSettings(inheritedEnvironment({ ROLE: "watchdog" }));
  if (!read.ok) return complain(read.faults.join("\n"), exitCode.settings);
  try {
    const report = await chaos(parsed.options, read.settings);
    console.log(parsed.options.json ? JSON.stringify(report) : reportText(report));
    return report.passed ? 0 : exitCode.failed;
  } catch (error) {
    if (!(error instanceof StartupFailure)) throw error;
    return complain(error.message, error.exitCode);
  }
}

/** @throws StartupFailure when there is nothing to do it to */
async function chaos(options: Options, settings: Settings): Promise<Report> {
  const slots = new Slots(options.watchdog ?? new URL(`http://127.0.0.1:${settings.PORT ?? settings.WATCHDOG_PORT}`));
  await slots.open();
  try {
    const url = options.url ?? balancerOf(slots, settings);
    await assertServes(slots, url);
    return await underLoad({
      options,
      slots,
      faults: await faultsOf(settings, slots),
      load: new Load(url, options.rate),
    });
  } finally {
    slots.close();
  }
}

interface Stage {
  readonly options: Options;
  readonly slots: Slots;
  readonly faults: Faults;
  readonly load: Load;
}

async function underLoad({ options, slots, faults, load }: Stage): Promise<Report> {
  const { rate, everyMs, durationMs, roles } = options;
  const kinds = options.faults.filter((kind) => faults.kinds.includes(kind));
  if (kinds.length === 0)
    throw new StartupFailure(exitCode.usage, `--faults ${options.faults}: plain processes have only ${faults.kinds}`);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const stop = stopSignal();
  const terms = { rules: { kinds, roles }, random: seeded(seed), everyMs, durationMs, stop };
  const onRecord = (record: Parameters<typeof recordLine>[0]) => console.error(recordLine(record));
  const campaign = new Campaign(terms, { faults, slots, onRecord, lastFailureMs: () => load.lastFailureMs });

  const startedMs = performance.now();
  load.start();
  const suffered = await campaign.run();
  const tally = await load.finish();
  return reportOf({
    seed,
    versions: { evenkeel: version, node: process.versions.node, engine: faults.engine },
    roles,
    rate,
    everyMs,
    lastedMs: Math.round(performance.now() - startedMs),
    endedEarly: stop.aborted,
    leftOut: options.faults.filter((kind) => !kinds.includes(kind)),
    load: tally,
    ...suffered,
  });
}

/** dockerode is loaded only where it is used. */
async function faultsOf(settings: Settings, slots: Slots): Promise<Faults> {
  if (settings.ENGINE === "process") return processFaults((slot) => slots.row(slot)?.pid);
  return (await import("./faults-docker.ts")).openDockerFaults(settings);
}

/** A container is reached by its service's name, which a successor takes over; a process by its address. */
function balancerOf(slots: Slots, { ENGINE }: Settings): URL {
  const balancer = slots.rows.find(({ role }) => role === "balancer");
  if (!balancer?.address)
    throw new StartupFailure(exitCode.failed, "the watchdog shows no balancer: say with --url where it is");
  const port = balancer.address.slice(balancer.address.lastIndexOf(":"));
  return new URL(`http://${ENGINE === "docker" ? balancer.slot + port : balancer.address}`);
}

async function assertServes(slots: Slots, url: URL): Promise<void> {
  const serving = slots.rows.filter(({ state }) => state === "serving").map((row) => ({ ...row, serves: true }));
  if (!hasRoute(serving))
    throw new StartupFailure(exitCode.failed, "no proxy with a server of its group serves: wait until they do");
  await fetch(url).catch(({ cause, message }) => {
    throw new StartupFailure(
      exitCode.failed,
      `cannot reach the balancer at ${url.origin}: ${cause?.code ?? cause?.message ?? message}`,
    );
  });
}

/** Ctrl-C and its like end it early; a second one changes nothing, so that what is stopped gets started. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  return stop.signal;
}

// Whoever reads us may leave; what is stopped has to be started all the same.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));
