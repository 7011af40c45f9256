// What the words of the client's command line mean, and its --help.

import { parseArgs } from "node:util";
import {
  duration,
  type HelpLine,
  noMore,
  number,
  UsageFault,
  webAddress,
  wholeNumber,
} from "../command-line/command-line.ts";
import type { LoadPlan } from "./load.ts";

export const USAGE = `usage: node client.js ID [--requests N | --count N] [--duration 30s] [--concurrency N] [--rate N] [--watch] [--json]
       [--url http://host:port]   ID and N are positive whole numbers`;

const WATCHED_RATE = 50;
/** With a rate, so that a slow answer does not hold the next one up. */
const PACED_CONCURRENCY = 50;
const HOURS_MAX = 24;

export const HELP: readonly HelpLine[] = [
  ["ID", "the client's number, a positive whole one: it is sent as ?client=ID"],
  ["--requests N", "so many requests, and a summary of them; Ctrl-C ends it early, with the summary. Default: 1"],
  ["--count N", "the same"],
  ["--duration TIME", "so long, such as 30s, 5m or 1h, and a summary; with --requests until the first of both"],
  ["--concurrency N", `so many at a time at most, 1 to 1000. Default: 1; with --rate or --watch ${PACED_CONCURRENCY}`],
  ["--rate N", `so many a second, whatever answers take. Default: as fast as they come; with --watch ${WATCHED_RATE}`],
  ["--watch", "shows who answers how often while it goes on; without --requests and --duration until Ctrl-C"],
  ["--json", "prints the result as JSON, for scripts"],
  [
    "--url URL",
    "where to send them; path and query are kept. Default: BALANCER_URL, else BALANCER_PORT on this machine",
  ],
];

const LEGAL_NUMBERS = { least: 1, most: 999_999_999_999_999 };
const LEGAL_CONCURRENCY = { least: 1, most: 1_000 };
const LEGAL_RATE = { least: 0.1, most: 100_000 };
const LEGAL_DURATION_MS = { least: 1, most: HOURS_MAX * 3_600_000 };

export interface ClientCommand {
  readonly client: number;
  /** Undefined: a single request. */
  readonly plan: LoadPlan | undefined;
  readonly watch: boolean;
  readonly json: boolean;
  /** Undefined: where the settings say. */
  readonly url: URL | undefined;
}

const OPTIONS = {
  requests: { type: "string" },
  count: { type: "string" },
  duration: { type: "string" },
  concurrency: { type: "string" },
  rate: { type: "string" },
  watch: { type: "boolean" },
  json: { type: "boolean" },
  url: { type: "string" },
} as const;

type Values = ReturnType<typeof split>["values"];

/** @throws UsageFault */
export function parseCommand(words: readonly string[]): ClientCommand {
  const { values, positionals } = split(words);
  const [id, ...rest] = positionals;
  if (id === undefined) throw new UsageFault("there is no ID");
  noMore(rest);
  const { watch = false, json = false, url } = values;
  if (watch && json) throw new UsageFault("--watch and --json exclude each other");
  return {
    client: wholeNumber("ID", id, LEGAL_NUMBERS),
    plan: planOf(values),
    watch,
    json,
    url: url === undefined ? undefined : webAddress("--url", url),
  };
}

function split(words: readonly string[]) {
  return parseArgs({ args: [...words], allowPositionals: true, options: OPTIONS });
}

function planOf({ watch = false, ...values }: Values): LoadPlan | undefined {
  if (values.requests !== undefined && values.count !== undefined)
    throw new UsageFault("--requests and --count are the same: give one");
  const name = values.requests === undefined ? "--count" : "--requests";
  const requests = given(values.requests ?? values.count, (word) => wholeNumber(name, word, LEGAL_NUMBERS));
  const durationMs = given(values.duration, (word) => duration("--duration", word, LEGAL_DURATION_MS));
  const concurrency = given(values.concurrency, (word) => wholeNumber("--concurrency", word, LEGAL_CONCURRENCY));
  const rate = given(values.rate, (word) => number("--rate", word, LEGAL_RATE));
  const isPaced = watch || rate !== undefined;
  const plan = { requests, durationMs, concurrency: concurrency ?? (isPaced ? PACED_CONCURRENCY : 1) };
  if (watch) return { ...plan, rate: rate ?? WATCHED_RATE };
  if (requests !== undefined || durationMs !== undefined)
    return requests === 1 && !durationMs ? undefined : { ...plan, rate };
  if (concurrency === undefined && rate === undefined) return undefined;
  throw new UsageFault(
    "--concurrency and --rate are for many: say how many with --requests, or how long with --duration",
  );
}

function given<T>(word: string | undefined, read: (word: string) => T): T | undefined {
  return word === undefined ? undefined : read(word);
}
