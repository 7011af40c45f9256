// Pure. The labels by which a service says what it is to us, as one table: what each is for, what it may be, what it is unless set.
// Whoever has none is none of our business. A label that nobody knows is a fault, for a typo would be silence.

import type * as z from "zod";
import { policies } from "../../services/runtime/policies.ts";
import { roles } from "../../services/runtime/roles.ts";
import { choice, cookie, duration, flag, hosts, path, port, prefix, size, weight, word } from "./label-kinds.ts";
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
  weight: {
    schema: weight,
    about: "Its share beside the others', 0 to 256; 0: no requests while others serve. Default: 1.",
    example: "3",
  },
  group: { schema: word, about: "The proxies of that group have it. Default: its share of all.", example: "2" },
  pool: { schema: word, about: "The servers that do the same work. Default: the service's name.", example: "web" },
  host: {
    schema: hosts,
    about: "The hosts whose requests are for it; `*.b.org`: any below b.org. Default: any.",
    example: "a.org,*.b.org",
  },
  path: { schema: prefix, about: "The path whose requests are for it, and all below. Default: any.", example: "/api" },
  strip: {
    schema: flag,
    about: "on: that path is taken off the front on the way to it. Default: off.",
    example: "on",
  },
  sticky: {
    schema: cookie,
    about: "A client's later requests go where its first went, by a cookie of this name. Default: STICKY_COOKIE.",
    example: "sid",
  },
  policy: {
    schema: choice(policies),
    about: "How one of its servers is chosen: round-robin, random, least-requests. Default: POLICY, else random.",
    example: "least-requests",
  },
  timeout: {
    schema: duration,
    about: "How long an answer may take to begin. Default: RESPONSE_TIMEOUT_MS.",
    example: "2m",
  },
  "body-max": {
    schema: size,
    about: "The largest body of a request; past it: 413. Default: BODY_BYTES_MAX.",
    example: "10m",
  },
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
  drain: {
    schema: duration,
    about:
      "How long what is under way there may take when it is rolled, retired or healed gently; sooner where nothing is. Default: 10s.",
    example: "5m",
  },
  "update.monitor": {
    schema: duration,
    about: "How long a new one has to serve in a roll before the next one's turn. Default: 2s.",
    example: "10s",
  },
  "update.failure": {
    schema: choice(["rollback", "pause"]),
    about: "What a roll does when a new one fails: rollback, or pause, so that people can look. Default: rollback.",
    example: "pause",
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
const NOT_YET: ReadonlySet<string> = new Set(["update.order", "update.parallelism"]);

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
  readonly drainMs?: number;
  readonly monitorMs?: number;
  readonly onFailure?: "rollback" | "pause";
  readonly hosts?: readonly string[];
  readonly path?: string;
  readonly strip?: boolean;
  readonly sticky?: string;
  readonly policy?: (typeof policies)[number];
  readonly timeoutMs?: number;
  readonly bodyBytesMax?: number;
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
function contradictions({ role, port, reports, heal, strip, path }: Given): string[] {
  if (strip && path === undefined) return [`${PREFIX}strip takes off ${PREFIX}path, and there is none: set it`];
  const isProgram = role !== undefined && role !== "server";
  if (isProgram && port !== undefined) return [`${PREFIX}port has no meaning for a ${role}: take it away`];
  if (reports && port !== undefined)
    return [`${PREFIX}port and ${PREFIX}reports contradict each other: take one of them away`];
  if (heal === false && role === undefined && port === undefined)
    return [`${PREFIX}heal is off, and nothing else is set: take it away`];
  return [];
}

function labelsOf(given: Given): ServiceLabels {
  const { role, port, reports, heal, health, start, weight, group, pool, network, hold, drain } = given;
  const { host, path, strip, sticky, policy, timeout, "health-timeout": healthTimeout, "body-max": bodyMax } = given;
  const { "update.monitor": monitor, "update.failure": failure } = given;
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
    ...(drain !== undefined && { drainMs: drain }),
    ...(monitor !== undefined && { monitorMs: monitor }),
    ...(failure !== undefined && { onFailure: failure }),
    ...(host !== undefined && { hosts: host }),
    ...(path !== undefined && { path }),
    ...(strip !== undefined && { strip }),
    ...(sticky !== undefined && { sticky }),
    ...(policy !== undefined && { policy }),
    ...(timeout !== undefined && { timeoutMs: timeout }),
    ...(bodyMax !== undefined && { bodyBytesMax: bodyMax }),
  };
}
