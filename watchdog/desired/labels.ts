// Pure. The labels of a service, read by their table: every fault in one go. Whoever has none is none of our business. A label that nobody
// knows is a fault, for a typo would be silence.

import type * as z from "zod";
import type { policies } from "../../services/runtime/policies.ts";
import { roles } from "../../services/runtime/roles.ts";
import { labelTable } from "./label-table.ts";
import { nearest } from "./nearest.ts";

const PREFIX = "evenkeel.";
const TEXT_SHOWN = 64;

type Name = keyof typeof labelTable;
type Given = { readonly [Each in Name]?: z.output<(typeof labelTable)[Each]["schema"]> };

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
  readonly order?: "start-first" | "stop-first";
  readonly parallel?: number;
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
  const { "update.order": order, "update.parallelism": parallel } = given;
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
    ...(order !== undefined && { order }),
    ...(parallel !== undefined && { parallel }),
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
