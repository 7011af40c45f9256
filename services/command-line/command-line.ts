// What all our command lines share: --help, what is said to wrong words, the settings, and how one ends. A command line's own
// files say what its words mean and what is done about them. Exit codes: see exit.ts.

import { inheritedEnvironment, readSettings, type Settings } from "../runtime/config.ts";
import { complain, exitCode, StartupFailure } from "../runtime/exit.ts";
import type { Role } from "../runtime/roles.ts";
import { wrapped } from "./text-table.ts";

const HELP_COLUMNS_MAX = 110;

/** A word or an option with what it does: a line of --help. */
export type HelpLine = readonly [words: string, about: string];

export interface CommandLine<Wanted> {
  /** How it is called; begins with "usage: ". */
  readonly usage: string;
  readonly help: readonly HelpLine[];
  /** Its settings are read as this role's. */
  readonly role: Role;
  /** @throws UsageFault, or what parseArgs of node:util throws */
  readonly parse: (words: readonly string[]) => Wanted;
  /** Resolves with the exit code. @throws StartupFailure when it cannot begin */
  readonly run: (wanted: Wanted, settings: Settings) => Promise<number>;
}

/** Words that mean nothing here. The message is one line that names the word and what is legal. */
export class UsageFault extends Error {}

/** Resolves with the exit code. */
export async function runCommandLine<Wanted>(
  { usage, help, role, parse, run }: CommandLine<Wanted>,
  words: readonly string[],
): Promise<number> {
  // A reader of our output, such as `head`, may have read enough; what is under way goes on all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  if (words.includes("--help") || words.includes("-h")) return print(`${usage}\n\n${helpText(help)}`);
  try {
    const wanted = parse(words);
    const read = readSettings(inheritedEnvironment({ ROLE: role }));
    if (!read.ok) return complain(read.faults.join("\n"), exitCode.settings);
    return await run(wanted, read.settings);
  } catch (error) {
    if (error instanceof StartupFailure) return complain(error.message, error.exitCode);
    return complain(`${usageFaultIn(error)}\n${usage}`, exitCode.usage);
  }
}

/** On stdout, as a line. @returns the exit code of a command that did what it was asked to */
export function print(text: string): 0 {
  process.stdout.write(`${text}\n`);
  return 0;
}

/**
 * Aborted by Ctrl-C and its like, which from now on end nothing by themselves: a command line ends early, but in order. A second
 * signal changes nothing; npm sends one after the terminal's own.
 */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  return stop.signal;
}

interface Limits {
  readonly least: number;
  readonly most: number;
}

/** @param name as on the command line, such as --count @throws UsageFault */
export function wholeNumber(name: string, word: string, { least, most }: Limits): number {
  const value = /^\d{1,15}$/.test(word) ? Number(word) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageFault(`${name} ${word}: it must be a whole number from ${least} to ${most}`);
}

/** With up to three places after the point. @throws UsageFault */
export function number(name: string, word: string, { least, most }: Limits): number {
  const value = /^\d{1,15}(\.\d{1,3})?$/.test(word) ? Number(word) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new UsageFault(`${name} ${word}: it must be a number from ${Number(least.toFixed(3))} to ${most}`);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A time such as 500ms, 30s, 5m or 1h. @returns it in ms @throws UsageFault */
export function duration(name: string, word: string, { least, most }: Limits): number {
  const [, count, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(word) ?? [];
  const ms = Number(count) * (UNITS_MS[unit ?? ""] ?? Number.NaN);
  if (ms >= least && ms <= most) return ms;
  throw new UsageFault(
    `${name} ${word}: it must be a time such as 30s, 5m or 1h, from ${least} ms to ${most / 3_600_000} h`,
  );
}

type Scheme = "http" | "https";

/** An address with its scheme: "localhost:8080" parses as a URL as well, of a scheme that is called localhost. @throws UsageFault */
export function webAddress(name: string, word: string, schemes: readonly Scheme[] = ["http", "https"]): URL {
  const url = URL.canParse(word) ? new URL(word) : undefined;
  const scheme = url?.protocol.slice(0, -1);
  if (url !== undefined && (schemes as readonly (string | undefined)[]).includes(scheme)) return url;
  const legal = schemes.map((scheme) => `${scheme}://`).join(" or ");
  throw new UsageFault(`${name} ${word}: it must be an ${legal} address`);
}

/** @throws UsageFault when there are more words than the command line takes */
export function noMore(words: readonly string[]): void {
  if (words[0] !== undefined) throw new UsageFault(`Unexpected argument '${words[0]}'`);
}

function helpText(help: readonly HelpLine[]): string {
  const indent = Math.max(...help.map(([words]) => words.length)) + 4;
  const columns = Math.min(process.stdout.columns || HELP_COLUMNS_MAX, HELP_COLUMNS_MAX);
  const lines = [...help, ["--help", "prints this"] as const];
  const texts = lines.map(([words, about]) => `  ${words}`.padEnd(indent) + wrapped(about, { indent, columns }));
  return texts.join("\n");
}

/** The first sentence of what parseArgs says: it goes on to explain how such a word could be passed as a positional. */
function usageFaultIn(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (error instanceof UsageFault) return message;
  if (code?.startsWith("ERR_PARSE_ARGS")) return message.split(/\. |\n/, 1)[0] as string;
  throw error;
}
