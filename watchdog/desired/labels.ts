// Pure. The labels by which a service says what it is to us, as one table: what each is for, what it may be, what it is unless set.
// Whoever has none is none of our business. A label that nobody knows is a fault, for a typo would be silence.

import type { z } from "zod";
import { roles } from "../../services/runtime/roles.ts";
import { choice, duration, flag, path, port, weight, word } from "./label-kinds.ts";
import { nearest } from "./nearest.ts";

const PREFIX = "evenkeel.";
const TEXT_SHOWN = 64;

interface Label {
  readonly schema: z.ZodType;
  readonly about: string;
  readonly example: string;
}

/** The table. Order is the order of the documentation. */
export const labelTable = {
  port: {
    schema: port,
    about:
      "Where its program listens, inside of the container. Default: the one TCP port that the image or the Compose file exposes.",
    example: "3000",
  },
  role: {
    schema: choice(roles),
    about:
      "What it is: server, where no port is set; the programs of Evenkeel itself have theirs. Default: server where a port is set.",
    example: "server",
  },
  health: {
    schema: path,
    about:
      "A path that answers 200 to 399 while it is well. Default: its HEALTHCHECK before its first request, then whether it answers at all.",
    example: "/up",
  },
  "health-timeout": {
    schema: duration,
    about: "How long an answer to that may take. Default: 400ms for a path, 2s for any answer.",
    example: "2s",
  },
  start: {
    schema: duration,
    about: "How long it may take from its start to its first answer. Default: its HEALTHCHECK's start_period and 30s.",
    example: "90s",
  },
  weight: { schema: weight, about: "Its share beside the others', 0 to 256. Default: 1.", example: "3" },
  group: { schema: word, about: "The proxies of that group have it. Default: its share of all.", example: "2" },
  pool: { schema: word, about: "The servers that do the same work. Default: the service's name.", example: "web" },
  network: {
    schema: word,
    about:
      "The network to reach it on, by its key in the Compose file or its name. Default: one that it shares with the tier in front.",
    example: "front",
  },
  heal: {
    schema: flag,
    about: "off: it is never recreated. on, without a port: it is healed and gets no requests. Default: on.",
    example: "on",
  },
  hold: {
    schema: duration,
    about: "How long a request may wait while Compose makes the last one anew. Default: 10s.",
    example: "30s",
  },
  reports: {
    schema: flag,
    about:
      "It writes the line that says where it listens, and answers on an admin port, as the sample servers do. Default: off.",
    example: "on",
  },
} as const satisfies Record<string, Label>;

type Name = keyof typeof labelTable;
type Given = { readonly [Each in Name]?: z.output<(typeof labelTable)[Each]["schema"]> };

/** Of labels that other balancers have, and we have not yet. */
const NOT_YET: ReadonlySet<string> = new Set([
  ...["host", "path", "strip", "sticky", "policy", "timeout", "body-max", "drain"],
  ...["update.order", "update.parallelism", "update.monitor", "update.failure"],
]);

export interface ServiceLabels {
  readonly role: (typeof roles)[number] | "worker";
  /** Does it say by itself where it listens? */
  readonly reports: boolean;
  readonly heal: boolean;
  readonly port?: number;
  readonly group?: string;
  readonly pool?: string;
  readonly network?: string;
  readonly health?: string;
  readonly healthTimeoutMs?: number;
  readonly startMs?: number;
  readonly weight?: number;
  readonly holdMs?: number;
}

export type ReadLabels =
  /** Not ours to look after. */
  | { readonly kind: "none" }
  | { readonly kind: "read"; readonly labels: ServiceLabels }
  /** One line for each fault, without the service's name. */
  | { readonly kind: "faulty"; readonly faults: readonly string[] };

/** Reads all labels of a service, and reports every fault in one go. */
export function readLabels(labels: Readonly<Record<string, string>> | null | undefined): ReadLabels {
  const ours = Object.entries(labels ?? {}).filter(([name]) => name.startsWith(PREFIX));
  if (ours.length === 0) return { kind: "none" };
  const faults: string[] = [];
  const values = new Map<string, unknown>();
  for (const [label, text] of ours) {
    const name = label.slice(PREFIX.length);
    const read = readLabel(name, text);
    if (read.kind === "value") values.set(name, read.value);
    else faults.push(read.fault);
  }
  const given = Object.fromEntries(values) as Given;
  faults.push(...contradictions(given));
  return faults.length > 0 ? { kind: "faulty", faults } : { kind: "read", labels: labelsOf(given) };
}

type ReadLabel =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "fault"; readonly fault: string };

function readLabel(name: string, text: string): ReadLabel {
  const fault = (what: string): ReadLabel => ({ kind: "fault", fault: what });
  const shown = name.slice(0, TEXT_SHOWN);
  if (NOT_YET.has(name)) return fault(`${PREFIX}${name} is not there yet: take it away`);
  if (!Object.hasOwn(labelTable, name))
    return fault(`unknown label ${PREFIX}${shown}${didYouMean(name, Object.keys(labelTable), PREFIX)}`);
  const parsed = labelTable[name as Name].schema.safeParse(text);
  if (parsed.success) return { kind: "value", value: parsed.data };
  const hint = name === "role" ? didYouMean(text, roles) : "";
  return fault(
    `${PREFIX}${name} "${text.slice(0, TEXT_SHOWN)}" ${hint ? `is no role${hint}` : parsed.error.issues[0]?.message}`,
  );
}

function didYouMean(given: string, words: readonly string[], prefix = ""): string {
  const word = nearest(given, words);
  return word === undefined ? "" : `; did you mean ${prefix}${word}?`;
}

/** Labels that are legal, but not beside each other. */
function contradictions({ role, port, reports, heal }: Given): string[] {
  const isProgram = role !== undefined && role !== "server";
  if (isProgram && port !== undefined) return [`${PREFIX}port has no meaning for a ${role}: take it away`];
  if (reports && port !== undefined)
    return [`${PREFIX}port and ${PREFIX}reports contradict each other: take one of them away`];
  if (heal === false && role === undefined && port === undefined)
    return [`${PREFIX}heal is off, and nothing else is set: take it away`];
  return [];
}

function labelsOf(given: Given): ServiceLabels {
  const { role, port, reports, heal, health, start, weight, group, pool, network, hold } = given;
  const { "health-timeout": healthTimeout } = given;
  const isProgram = role !== undefined && role !== "server";
  const isWorker = heal === true && port === undefined && !reports;
  return {
    role: role ?? (isWorker ? "worker" : "server"),
    reports: isProgram || (reports ?? false),
    heal: heal ?? true,
    ...(port !== undefined && { port }),
    ...(group !== undefined && { group }),
    ...(pool !== undefined && { pool }),
    ...(network !== undefined && { network }),
    ...(health !== undefined && { health }),
    ...(healthTimeout !== undefined && { healthTimeoutMs: healthTimeout }),
    ...(start !== undefined && { startMs: start }),
    ...(weight !== undefined && { weight }),
    ...(hold !== undefined && { holdMs: hold }),
  };
}
