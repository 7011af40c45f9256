// The command line of chaos: words -> what to do, or what is wrong with them.

import { parseArgs } from "node:util";
import { type FaultKind, faultKinds } from "./faults.ts";
import { type TargetRole, targetRoles } from "./schedule.ts";

export const USAGE = `usage: node chaos.js [--minutes 5 | --seconds 20] [--seed 7] [--rate 200] [--every-ms 2000]
       [--faults kill,stop,pause,hang,remove] [--roles server,proxy] [--url http://balancer:8080]
       [--watchdog http://127.0.0.1:8404] [--json]`;

const MINUTES_MAX = 1_440;
const RATE_MAX = 5_000;
const EVERY_MS_MIN = 100;
const EVERY_MS_MAX = 3_600_000;
const SEED_MAX = 2 ** 32 - 1;

export interface Options {
  readonly durationMs: number;
  /** Undefined: any. */
  readonly seed: number | undefined;
  /** Requests a second. */
  readonly rate: number;
  /** From one fault to the next. */
  readonly everyMs: number;
  readonly faults: readonly FaultKind[];
  readonly roles: readonly TargetRole[];
  /** Where the load goes; undefined: where the watchdog says that the balancer is. */
  readonly url: URL | undefined;
  /** Undefined: the usual port on this machine. */
  readonly watchdog: URL | undefined;
  readonly json: boolean;
}

export type OptionsResult =
  | { readonly ok: true; readonly options: Options }
  /** One line that names the option and what is legal. */
  | { readonly ok: false; readonly fault: string };

export function parseOptions(words: readonly string[]): OptionsResult {
  try {
    const { values } = parseArgs({ args: [...words], options: OPTIONS });
    if (values.minutes !== undefined && values.seconds !== undefined)
      return wrong("--minutes and --seconds exclude each other");
    const seconds = number("seconds", values.seconds, 1, MINUTES_MAX * 60);
    const minutes = number("minutes", values.minutes ?? "5", 1 / 60, MINUTES_MAX);
    const options = {
      durationMs: 1_000 * (seconds ?? (minutes as number) * 60),
      seed: whole("seed", values.seed, 0, SEED_MAX),
      rate: whole("rate", values.rate ?? "200", 1, RATE_MAX) as number,
      everyMs: whole("every-ms", values["every-ms"] ?? "2000", EVERY_MS_MIN, EVERY_MS_MAX) as number,
      faults: someOf("faults", values.faults, faultKinds) ?? faultKinds,
      roles: someOf("roles", values.roles, targetRoles) ?? (["server", "proxy"] as const),
      url: address("url", values.url),
      watchdog: address("watchdog", values.watchdog),
      json: values.json ?? false,
    };
    return { ok: true, options };
  } catch (error) {
    // parseArgs goes on to explain how to pass such a word as a positional; there are none.
    return wrong((error as Error).message.split(/\. |\n/, 1)[0] as string);
  }
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

const wrong = (fault: string): OptionsResult => ({ ok: false, fault });

function number(name: string, word: string | undefined, least: number, most: number): number | undefined {
  if (word === undefined) return undefined;
  const value = /^\d{1,10}(\.\d{1,3})?$/.test(word) ? Number(word) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new Error(`--${name} ${word}: it must be a number from ${Number(least.toFixed(3))} to ${most}`);
}

function whole(name: string, word: string | undefined, least: number, most: number): number | undefined {
  const value = word === undefined || /^\d+$/.test(word) ? number(name, word, least, most) : undefined;
  if (word === undefined || value !== undefined) return value;
  throw new Error(`--${name} ${word}: it must be a whole number from ${least} to ${most}`);
}

function someOf<const T extends string>(name: string, list: string | undefined, all: readonly T[]): T[] | undefined {
  if (list === undefined) return undefined;
  const named = new Set(list.split(","));
  const known = all.filter((each) => named.has(each));
  if (known.length === named.size) return known;
  throw new Error(`--${name} ${list}: it must be one or more of ${all.join(",")}`);
}

function address(name: string, text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && new URL(text).protocol === "http:") return new URL(text);
  throw new Error(`--${name} ${text}: it must be an http:// address`);
}
