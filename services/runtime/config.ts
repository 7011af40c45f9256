// Reads every setting of settings-table.ts from the environment. The only reader of process.env, but for the program that has to know
// before it loads this which role it is to start (main.ts). A setting keeps its environment name everywhere in the code, so that one
// grep finds all of it.

import type * as z from "zod";
import { readSecretFile } from "./secret-file.ts";
import { type Setting, settingsTable } from "./settings-table.ts";

type Parsed = { readonly [Name in keyof typeof settingsTable]: z.output<(typeof settingsTable)[Name]["schema"]> };
export type Settings = Omit<Parsed, "ID"> & { readonly ID: string };

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  /** One line for each faulty setting: its name, the value got, what is legal. */
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads all settings and reports every fault in one go. An empty variable counts as unset. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): SettingsResult {
  const faults: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(settingsTable) as [string, Setting<z.ZodType>][]) {
    const stands = standsAs(name, entry, environment);
    if ("fault" in stands) {
      faults.push(stands.fault);
      continue;
    }
    const { given } = stands;
    const parsed = entry.schema.safeParse(given ?? entry.fallback);
    if (parsed.success) values[name] = parsed.data;
    else faults.push(`${shown(name, given, entry)}: it ${parsed.error.issues[0]?.message ?? "is invalid"}`);
  }
  const settings = values as Parsed;
  if (faults.length === 0) faults.push(...contradictions(settings));
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, settings: { ...settings, ID: settings.ID ?? settings.ROLE } };
}

type Standing = { readonly given: string | undefined } | { readonly fault: string };

/** As the environment says it; a secret, perhaps in a file. */
function standsAs(name: string, { secret }: Setting<z.ZodType>, environment: NodeJS.ProcessEnv): Standing {
  const given = environment[name] || undefined;
  const byFile = `${name}_FILE`;
  const file = secret ? environment[byFile] || undefined : undefined;
  if (file === undefined) return { given };
  if (given !== undefined) return { fault: `${name} and ${byFile} are both set: leave one of them out` };
  const read = readSecretFile(file);
  return read.ok ? { given: read.text } : { fault: `${byFile}=${JSON.stringify(file)}: it ${read.reason}` };
}

/** Settings that are legal, but not beside each other. */
function contradictions({ WORKERS, MEMBER_REQUESTS_MAX, CONNECTIONS_MAX }: Parsed): string[] {
  if (WORKERS === 1) return [];
  const limits = { MEMBER_REQUESTS_MAX, CONNECTIONS_MAX };
  const small = Object.entries(limits).filter(([, limit]) => limit < WORKERS);
  return small.map(([name, limit]) => `WORKERS="${WORKERS}": it must be at most ${name}, which is ${limit}`);
}

/** Our own environment with changes, for a child process or a command line: an empty value unsets a variable. */
export function inheritedEnvironment(changes: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...changes };
}

function shown(name: string, given: string | undefined, { secret }: Setting<z.ZodType>): string {
  if (given === undefined) return `${name} is not set`;
  return secret ? `${name} is set and not shown` : `${name}=${JSON.stringify(given)}`;
}
