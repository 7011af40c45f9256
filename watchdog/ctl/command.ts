// What the words of watchdogctl mean, and its --help. Says nothing about whether it can be done.

import { parseArgs } from "node:util";
import {
  type HelpLine,
  noMore,
  UsageFault,
  webAddress,
  wholeNumber,
} from "../../services/command-line/command-line.ts";
import {
  type OrderKind,
  type RollTaken,
  type ServiceOrderKind,
  scaleOrderSchema,
  weightOrderSchema,
} from "../api/schema.ts";
import { nearest } from "../desired/nearest.ts";

export const USAGE = `usage: node watchdogctl.js COMMAND [--json] [--url http://host:port]
  to look   status [--watch], top, incidents [N] [--slot SLOT] [--limit N], doctor, check
  to order  hold, release or heal SLOT; weight SLOT 0-256; pause, resume, roll or rollback SERVICE; scale SERVICE=N`;

const LISTED_BY_DEFAULT = 20;
const LEGAL_NUMBERS = { least: 1, most: 999_999_999 };

export const HELP: readonly HelpLine[] = [
  ["status", "one row a slot: its member, whether it takes traffic, what the watchdog does next"],
  ["top", "the status page's table, live until Ctrl-C: requests, errors and times of each member; in a pipe once"],
  ["incidents", "the latest heals, newest first"],
  ["incidents N", "all of one heal: its times, cause, changes and the last lines of the member before"],
  ["hold SLOT", "the watchdog leaves the slot alone, whatever becomes of it, until it is released"],
  ["release SLOT", "the watchdog looks after the slot again"],
  ["heal SLOT", "replaces the slot's member now"],
  [
    "weight SLOT N",
    "the slot's share beside the others', 0 to 256, from now on; 0: no requests while others serve; default: what its label says",
  ],
  [
    "pause SERVICE",
    "the watchdog neither heals nor rolls the service's members, and requests go on, until it is resumed",
  ],
  ["resume SERVICE", "the watchdog looks after the service again, and a roll that stood still goes on"],
  [
    "roll SERVICE",
    "every replica becomes like the last one, which Compose has made as a sample, or without one what its image's name means now, one by one; follows it to its end",
  ],
  [
    "rollback SERVICE",
    "every replica becomes what it was before: the last version that has worked and is not this one; follows it to its end",
  ],
  [
    "scale SERVICE=N",
    "so many replicas, 1 to 64: more are twins of the last one, of fewer the highest numbers go, drained; follows it to its end",
  ],
  ["doctor", "looks by itself at everything that healing needs, and says what to do about what is wrong"],
  ["check", "reads `docker compose config --format json` on its input, and says what to mend before anything runs"],
  ["--watch", "status: again and again until Ctrl-C; in a pipe whenever it has changed"],
  ["--slot SLOT", "incidents: of this slot alone"],
  ["--limit N", `incidents: so many at most. Default: ${LISTED_BY_DEFAULT}`],
  ["--json", "prints the answer as JSON, for scripts"],
  ["--url URL", "where the watchdog is. Default: WATCHDOG_PORT on this machine"],
];

/** What is asked of a running watchdog. */
export type WatchdogQuery =
  | { readonly kind: "status" }
  | { readonly kind: "incidents"; readonly limit: number; readonly slot: string | undefined }
  | { readonly kind: "incident"; readonly number: number }
  | { readonly kind: OrderKind; readonly slot: string }
  | { readonly kind: ServiceOrderKind; readonly service: string }
  /** null: what its label says. */
  | { readonly kind: "weight"; readonly slot: string; readonly weight: number | null };

export interface CtlCommand {
  readonly what:
    | WatchdogQuery
    | { readonly kind: "top" }
    | { readonly kind: "doctor" }
    | { readonly kind: "check" }
    | { readonly kind: "roll"; readonly service: string; readonly to: RollTaken["to"] }
    | { readonly kind: "scale"; readonly service: string; readonly replicas: number };
  readonly json: boolean;
  /** The state again and again. */
  readonly watch: boolean;
  /** Undefined: where the settings say. */
  readonly url: URL | undefined;
}

type Given = ReturnType<typeof split>;

/** @throws UsageFault */
export function parseCommand(words: readonly string[]): CtlCommand {
  const given = split(words);
  const { json = false, watch = false, url } = given.values;
  const what = meaning(given);
  if (watch && what.kind !== "status") throw new UsageFault("--watch is for status alone");
  if (json && what.kind === "top") throw new UsageFault("top: it has no --json, status has");
  return { what, json, watch, url: url === undefined ? undefined : webAddress("--url", url) };
}

function split(words: readonly string[]) {
  return parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      json: { type: "boolean" },
      watch: { type: "boolean" },
      url: { type: "string" },
      slot: { type: "string" },
      limit: { type: "string" },
    },
  });
}

function meaning({ positionals: [verb, object, ...rest], values }: Given): CtlCommand["what"] {
  noMore(verb === "weight" ? rest.slice(1) : rest);
  if (verb !== "incidents") noListOptions(values, "incidents alone");
  switch (verb) {
    case "incidents":
      return object === undefined ? list(values) : one(object, values);
    case "status":
    case "top":
    case "doctor":
    case "check":
      noMore(object === undefined ? [] : [object]);
      return { kind: verb };
    case "roll":
    case "rollback":
    case "pause":
    case "resume":
      if (!object) throw new UsageFault(`${verb}: it takes the name of a service, such as app`);
      if (verb === "pause" || verb === "resume") return { kind: verb, service: object };
      return { kind: "roll", service: object, to: verb === "roll" ? "sample" : "former" };
    case "hold":
    case "release":
    case "heal":
      if (!object) throw new UsageFault(`${verb}: it takes the name of a slot, such as server-3`);
      return { kind: verb, slot: object };
    case "scale":
      return scale(object);
    case "weight":
      return weight(object, rest[0]);
    default:
      throw new UsageFault(verb === undefined ? "say what to do" : unknownCommand(verb));
  }
}

function unknownCommand(verb: string): string {
  const meant = nearest(verb, [...new Set(HELP.map(([words]) => words.split(" ", 1)[0] as string))]);
  return `${verb}: there is no such command${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

function scale(word: string | undefined): CtlCommand["what"] {
  const [, service, count] = /^(.+)=(.*)$/.exec(word ?? "") ?? [];
  if (service === undefined || count === undefined)
    throw new UsageFault("scale: it takes a service and how many there are to be, such as scale app=8");
  const { data } = scaleOrderSchema.safeParse({ replicas: /^\d{1,9}$/.test(count) ? Number(count) : count });
  if (data === undefined) throw new UsageFault(`scale ${word}: it must be a whole number from 1 to 64`);
  return { kind: "scale", service, replicas: data.replicas };
}

function weight(slot: string | undefined, word: string | undefined): WatchdogQuery {
  if (!slot || word === undefined)
    throw new UsageFault('weight: it takes a slot and 0 to 256 or "default", such as weight app-3 0');
  const isDefault = word === "default" || word === "-";
  const { data } = weightOrderSchema.safeParse({
    weight: isDefault ? null : /^\d{1,9}$/.test(word) ? Number(word) : word,
  });
  if (data === undefined)
    throw new UsageFault(`weight ${slot} ${word}: it must be a whole number from 0 to 256, or default`);
  return { kind: "weight", slot, weight: data.weight };
}

function list({ slot, limit = String(LISTED_BY_DEFAULT) }: Given["values"]): WatchdogQuery {
  return { kind: "incidents", limit: wholeNumber("--limit", limit, LEGAL_NUMBERS), slot };
}

function one(object: string, values: Given["values"]): WatchdogQuery {
  noListOptions(values, "lists alone, and this is one incident");
  return { kind: "incident", number: wholeNumber("incidents", object, LEGAL_NUMBERS) };
}

function noListOptions({ slot, limit }: Given["values"], whereLegal: string): void {
  if (slot !== undefined || limit !== undefined) throw new UsageFault(`--slot and --limit are for ${whereLegal}`);
}
