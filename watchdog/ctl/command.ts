// What the words of the command line mean. Says nothing about whether it can be done.

import { parseArgs } from "node:util";

export const USAGE =
  "usage: node watchdogctl.js status | incidents [N] [--slot SLOT] [--limit N] | hold SLOT | release SLOT | heal SLOT | doctor   [--json] [--url http://host:port]";

const LISTED_BY_DEFAULT = 20;

export type Query =
  | { readonly kind: "status" }
  | { readonly kind: "incidents"; readonly limit: number; readonly slot: string | undefined }
  | { readonly kind: "incident"; readonly number: number }
  | { readonly kind: "hold" | "release" | "heal"; readonly slot: string };

export interface Command {
  readonly what: Query | { readonly kind: "doctor" } | { readonly kind: "help" };
  readonly json: boolean;
  /** Undefined: where the settings say. */
  readonly url: URL | undefined;
}

type Given = ReturnType<typeof split>;

/** @returns undefined for anything that is not as in USAGE */
export function parseCommand(words: readonly string[]): Command | undefined {
  try {
    const given = split(words);
    const { json = false, url } = given.values;
    const what = given.values.help ? ({ kind: "help" } as const) : meaning(given);
    if (what === undefined || (url !== undefined && !/^https?:\/\/[^/]/.test(url))) return undefined;
    return { what, json, url: url === undefined ? undefined : new URL(url) };
  } catch {
    return undefined;
  }
}

function split(words: readonly string[]) {
  return parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
      url: { type: "string" },
      slot: { type: "string" },
      limit: { type: "string" },
    },
  });
}

function meaning({ positionals: [verb, object, ...rest], values }: Given): Command["what"] | undefined {
  if (rest.length > 0) return undefined;
  if (verb === "incidents") return object === undefined ? list(values) : one(object, values);
  if (values.slot !== undefined || values.limit !== undefined) return undefined;
  switch (verb) {
    case "status":
    case "doctor":
      return object === undefined ? { kind: verb } : undefined;
    case "hold":
    case "release":
    case "heal":
      return object ? { kind: verb, slot: object } : undefined;
    default:
      return undefined;
  }
}

function list({ slot, limit }: Given["values"]): Query | undefined {
  const most = limit === undefined ? LISTED_BY_DEFAULT : positiveInteger(limit);
  return most === undefined ? undefined : { kind: "incidents", limit: most, slot };
}

function one(object: string, { slot, limit }: Given["values"]): Query | undefined {
  const number = positiveInteger(object);
  if (number === undefined || slot !== undefined || limit !== undefined) return undefined;
  return { kind: "incident", number };
}

function positiveInteger(word: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(word) ? Number(word) : undefined;
}
