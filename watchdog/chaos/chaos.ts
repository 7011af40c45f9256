// The command that kills, stops, pauses, hangs and removes members at random under a load, and ends with a report.
// Exit code 0: no GET failed, and everything recovered; 1: something did, or nothing could be done; 2: wrong usage.

import { existsSync } from "node:fs";
import { print, runCommandLine, stopSignal } from "../../services/command-line/command-line.ts";
import { fetchText } from "../../services/command-line/fetch-text.ts";
import type { Settings } from "../../services/runtime/config.ts";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import { version } from "../../services/runtime/version.ts";
import { watchdogUrl } from "../api/client.ts";
import { chaosSocket } from "../guardian/socket/rules/paths.ts";
import { Campaign } from "./campaign.ts";
import type { FaultInjector } from "./injected-fault.ts";
import { processInjector } from "./injector-process.ts";
import { Load } from "./load/load.ts";
import { type ChaosOptions, HELP, parseOptions, USAGE } from "./options.ts";
import { type ChaosReport, reportOf } from "./report.ts";
import { recordLine, reportText } from "./report-text.ts";
import { hasRoute } from "./schedule.ts";
import { seeded } from "./seeded.ts";
import { Slots } from "./slots.ts";

const FIRST_ANSWER_WITHIN_MS = 300_000;

async function run(options: ChaosOptions, settings: Settings): Promise<number> {
  const report = await chaos(options, settings);
  print(options.json ? JSON.stringify(report) : reportText(report));
  return report.passed ? 0 : exitCode.failed;
}

/** @throws StartupFailure when there is nothing to inject a fault into */
async function chaos(options: ChaosOptions, settings: Settings): Promise<ChaosReport> {
  const slots = new Slots(options.watchdog ?? watchdogUrl(settings));
  await slots.open();
  try {
    const url = options.url ?? balancerOf(slots, settings);
    await assertServes(slots, url);
    const injector = await injectorOf(settings, slots);
    return await underLoad({ options, slots, injector, load: new Load(url, options.rate) });
  } finally {
    slots.close();
  }
}

interface Stage {
  readonly options: ChaosOptions;
  readonly slots: Slots;
  readonly injector: FaultInjector;
  readonly load: Load;
}

async function underLoad({ options, slots, injector, load }: Stage): Promise<ChaosReport> {
  const { rate, everyMs, durationMs, roles } = options;
  const kinds = options.faults.filter((kind) => injector.kinds.includes(kind));
  if (kinds.length === 0)
    throw new StartupFailure(exitCode.usage, `--faults ${options.faults}: plain processes have only ${injector.kinds}`);
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  const stop = stopSignal();
  const plan = { scope: { kinds, roles }, random: seeded(seed), everyMs, durationMs, stop };
  const onRecord = (record: Parameters<typeof recordLine>[0]) => console.error(recordLine(record));
  const campaign = new Campaign(plan, { injector, slots, onRecord, lastFailureMs: () => load.lastFailureMs });

  const startedMs = performance.now();
  load.start();
  const result = await campaign.run();
  const loadResult = await load.finish();
  return reportOf({
    seed,
    versions: { evenkeel: version, node: process.versions.node, engine: injector.engine },
    roles,
    rate,
    everyMs,
    lastedMs: Math.round(performance.now() - startedMs),
    endedEarly: stop.aborted,
    leftOut: options.faults.filter((kind) => !kinds.includes(kind)),
    load: loadResult,
    ...result,
  });
}

/** dockerode is loaded only where it is used. */
async function injectorOf(settings: Settings, slots: Slots): Promise<FaultInjector> {
  if (settings.ENGINE === "process") return processInjector((slot) => slots.row(slot)?.pid);
  const socket = socketOf(settings);
  const { openDockerInjector } = await import("./injector-docker.ts");
  return openDockerInjector({ socket, instanceOf: (slot) => slots.row(slot)?.instance });
}

/** In the image one of its own, which is there where somebody wants it. @throws StartupFailure */
function socketOf({ WATCHDOG_USER, DOCKER_SOCKET }: Settings): string {
  if (WATCHDOG_USER === undefined) return DOCKER_SOCKET;
  if (existsSync(chaosSocket())) return chaosSocket();
  const fix = "CHAOS=yes docker compose up -d watchdog, and again without it afterwards";
  throw new StartupFailure(exitCode.failed, `chaos is not allowed to touch a container here: ${fix}`);
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
  const reply = await fetchText(url, { timeoutMs: FIRST_ANSWER_WITHIN_MS });
  if (reply.kind === "silent")
    throw new StartupFailure(exitCode.failed, `cannot reach the balancer at ${url.origin}: ${reply.reason}`);
}

const commandLine = { usage: USAGE, help: HELP, role: "watchdog", parse: parseOptions, run } as const;
process.exitCode = await runCommandLine(commandLine, process.argv.slice(2));
