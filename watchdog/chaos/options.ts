// The command line of chaos: what its words mean, and its --help.

import { parseArgs } from "node:util";
import {
  type HelpLine,
  number,
  UsageFault,
  webAddress,
  wholeNumber,
} from "../../services/command-line/command-line.ts";
import type { TrafficRole } from "../../services/runtime/roles.ts";
import { type FaultKind, faultKinds } from "./injected-fault.ts";
import { targetRoles } from "./schedule.ts";

export const USAGE = `usage: node chaos.js [--minutes 5 | --seconds 20] [--seed 7] [--rate 200] [--every-ms 2000]
       [--faults kill,stop,pause,hang,remove] [--roles server,proxy] [--url http://balancer:8080]
       [--watchdog http://127.0.0.1:8404] [--json]`;

const DEFAULTS = { minutes: "5", rate: "200", everyMs: "2000", roles: ["server", "proxy"] } as const;
const MINUTES_MAX = 1_440;
const RATE = { least: 1, most: 5_000 };
const EVERY_MS = { least: 100, most: 3_600_000 };
const SEED = { least: 0, most: 2 ** 32 - 1 };

export const HELP: readonly HelpLine[] = [
  ["--minutes N", `how long; Ctrl-C ends it early, with its report. Default: ${DEFAULTS.minutes}`],
  ["--seconds N", "the same in seconds"],
  ["--seed N", "the same seed makes the same choices; the report names it. Default: any"],
  ["--rate N", `GETs a second, all the while. Default: ${DEFAULTS.rate}`],
  ["--every-ms N", `from one fault to the next. Default: ${DEFAULTS.everyMs}`],
  ["--faults LIST", `which faults to inject. Default: ${faultKinds}`],
  [
    "--roles LIST",
    `members of which roles they may hit; also balancer: GETs fail while it is gone. Default: ${DEFAULTS.roles}`,
  ],
  ["--url URL", "where the GETs go. Default: where the watchdog says that the balancer is"],
  ["--watchdog URL", "where the watchdog is. Default: WATCHDOG_PORT on this machine"],
  ["--json", "prints the report as JSON, for scripts"],
];

export interface ChaosOptions {
  readonly durationMs: number;
  /** Undefined: any. */
  readonly seed: number | undefined;
  /** Requests a second. */
  readonly rate: number;
  /** From one fault to the next. */
  readonly everyMs: number;
  readonly faults: readonly FaultKind[];
  readonly roles: readonly TrafficRole[];
  /** Where the load goes; undefined: where the watchdog says that the balancer is. */
  readonly url: URL | undefined;
  /** Undefined: where the settings say. */
  readonly watchdog: URL | undefined;
  readonly json: boolean;
}

/** @throws UsageFault */
export function parseOptions(words: readonly string[]): ChaosOptions {
  const { values } = parseArgs({ args: [...words], options: OPTIONS });
  const { seed, rate = DEFAULTS.rate, "every-ms": everyMs = DEFAULTS.everyMs, json = false } = values;
  return {
    durationMs: durationMs(values),
    seed: seed === undefined ? undefined : wholeNumber("--seed", seed, SEED),
    rate: wholeNumber("--rate", rate, RATE),
    everyMs: wholeNumber("--every-ms", everyMs, EVERY_MS),
    faults: someOf("--faults", values.faults, faultKinds) ?? faultKinds,
    roles: someOf("--roles", values.roles, targetRoles) ?? DEFAULTS.roles,
    url: address("--url", values.url),
    watchdog: address("--watchdog", values.watchdog),
    json,
  };
}

const OPTIONS = {
  minutes: { type: "string" },
  seconds: { type: "string" },
  seed: { type: "string" },
  rate: { type: "string" },
  "every-ms": { type: "string" },
  faults: { type: "string" },
  roles: { type: "string" },
  url: { type: "string" },
  watchdog: { type: "string" },
  json: { type: "boolean" },
} as const;

function durationMs({ minutes, seconds }: { readonly minutes?: string; readonly seconds?: string }): number {
  if (minutes !== undefined && seconds !== undefined)
    throw new UsageFault("--minutes and --seconds exclude each other");
  if (seconds !== undefined) return 1_000 * number("--seconds", seconds, { least: 1, most: MINUTES_MAX * 60 });
  return 60_000 * number("--minutes", minutes ?? DEFAULTS.minutes, { least: 1 / 60, most: MINUTES_MAX });
}

function someOf<const T extends string>(name: string, list: string | undefined, all: readonly T[]): T[] | undefined {
  if (list === undefined) return undefined;
  const named = new Set(list.split(","));
  const known = all.filter((each) => named.has(each));
  if (known.length === named.size) return known;
  throw new UsageFault(`${name} ${list}: it must be one or more of ${all.join(",")}`);
}

function address(name: string, word: string | undefined): URL | undefined {
  return word === undefined ? undefined : webAddress(name, word, ["http"]);
}
