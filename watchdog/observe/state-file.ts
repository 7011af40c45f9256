// The state that a watchdog leaves to the next one: stop intents, the last filling of each slot, restart records, standing
// orders. It is kept beside the registry and written like it. A file that is missing or broken means that nothing is remembered, never a
// refusal to start.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod";
import { writeAtomically } from "../../services/runtime/atomic-file.ts";
import { WEIGHT_MAX } from "../desired/label-kinds.ts";
import { type Roll, rollPhases } from "../rollout/roll.ts";
import { type Scale, scalePhases } from "../rollout/scale.ts";
import type { RestartRecord } from "../rules/restart-policy.ts";
import type { StopIntent } from "../rules/stop-intent.ts";

const times = { atMs: z.number(), engineMs: z.number().default(0), beganMs: z.exactOptional(z.number()) };

const intent: z.ZodType<StopIntent> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("asked"), ...times, toStop: z.boolean() }),
  z.object({ kind: z.literal("stopped"), ...times }),
]);

const restart: z.ZodType<RestartRecord> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("normal"), score: z.number(), atMs: z.number(), notBeforeMs: z.number() }),
  z.object({ kind: z.literal("quarantined"), sinceMs: z.number(), notBeforeMs: z.number() }),
]);

const filling = z.object({
  instance: z.string(),
  sinceMs: z.number(),
  generation: z.int(),
  known: z.literal(true).optional(),
  ports: z
    .object({ port: z.int().optional(), adminPort: z.int().optional(), link: z.literal(1).optional() })
    .optional(),
});

const roll: z.ZodType<Roll> = z.object({
  sample: z.string(),
  making: z.string(),
  to: z.exactOptional(z.enum(["former", "image"])),
  order: z.exactOptional(z.literal("stop-first")),
  why: z.exactOptional(z.string()),
  parallel: z.exactOptional(z.int().positive()),
  surge: z.exactOptional(z.array(z.string())),
  before: z.exactOptional(z.string()),
  phase: z.enum(rollPhases),
  reason: z.exactOptional(z.string()),
  changed: z.exactOptional(z.literal(true)),
});

const scale: z.ZodType<Scale> = z.object({
  from: z.int(),
  to: z.int(),
  added: z.array(z.string()),
  removed: z.array(z.string()),
  phase: z.enum(scalePhases),
  started: z.exactOptional(z.array(z.string())),
  sinceMs: z.number(),
  reason: z.exactOptional(z.string()),
  tookMs: z.exactOptional(z.number()),
});

/** A record of the file as a map: a slot may be called "constructor". */
function mapOf<Value extends z.ZodType>(value: Value) {
  return z.preprocess(
    entriesOf,
    z.array(z.tuple([z.string(), value])).transform((entries) => new Map(entries as [string, z.output<Value>][])),
  );
}

function entriesOf(given: unknown): unknown {
  return typeof given === "object" && given !== null && !Array.isArray(given) ? Object.entries(given) : given;
}

const stateSchema = z.preprocess(
  withIntents,
  z.object({
    /** By instance. */
    intents: mapOf(intent),
    /** By slot: the instance that filled it last, since when, how many have, the ports it told, should its log be gone, and whether one of them was ever known. */
    fillings: mapOf(filling),
    /** By slot; a slot that is not here is unblemished. */
    restarts: mapOf(restart).default(() => new Map()),
    /** By slot. */
    holds: mapOf(z.object({ sinceMs: z.number() })).default(() => new Map()),
    /** By service. */
    pauses: mapOf(z.object({ sinceMs: z.number() })).default(() => new Map()),
    /** By slot: what an operator has set over its label. */
    weights: mapOf(z.int().min(0).max(WEIGHT_MAX)).default(() => new Map()),
    /** By service: the roll that is under way, or the last one. */
    rolls: mapOf(roll).default(() => new Map()),
    /** By service: the scale that is under way, or the last one. */
    scales: mapOf(scale).default(() => new Map()),
  }),
);

export type WatchdogState = z.infer<typeof stateSchema>;

export class StateFile {
  readonly #file: string;
  #state: WatchdogState = {
    intents: new Map(),
    fillings: new Map(),
    restarts: new Map(),
    holds: new Map(),
    pauses: new Map(),
    weights: new Map(),
    rolls: new Map(),
    scales: new Map(),
  };
  #written = "";

  constructor(registryFile: string) {
    this.#file = join(dirname(registryFile), "watchdog.json");
  }

  /** Reads what an earlier watchdog has left. */
  async open(): Promise<void> {
    const text = await readFile(this.#file, "utf8").catch(() => "");
    this.#state = parseState(text) ?? this.#state;
  }

  /** The state as it is now, to be read and changed in place. */
  get state(): WatchdogState {
    return this.#state;
  }

  /** Writes what has changed since the last time. */
  async save(): Promise<void> {
    const text = `${JSON.stringify(this.#state, (_key, value) => (value instanceof Map ? Object.fromEntries(value) : value))}\n`;
    if (text === this.#written) return;
    await writeAtomically(this.#file, text);
    this.#written = text;
  }
}

function parseState(text: string): WatchdogState | undefined {
  try {
    return stateSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Version 0.1.0 wrote the intents under another key: an upgrade must not forget a deliberate stop. */
function withIntents(document: unknown): unknown {
  const { wishes, ...rest } = Object(document) as Record<string, unknown>;
  return wishes === undefined ? document : { intents: wishes, ...rest };
}
