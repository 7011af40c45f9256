// What the watchdog remembers beyond its own life: whose stop was deliberate, what filled each slot last and how often, which
// slots fail again and again, and which an operator holds.
// Kept beside the registry, written like it; a file that is missing or broken means an empty memory, never a refusal.

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { writeAtomically } from "../../services/runtime/atomic-file.ts";
import type { RestartRecord } from "../rules/restart-policy.ts";
import type { StopIntent } from "../rules/stop-intent.ts";

const intent: z.ZodType<StopIntent> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("asked"), atMs: z.number(), engineMs: z.number().default(0), toStop: z.boolean() }),
  z.object({ kind: z.literal("stopped"), atMs: z.number(), engineMs: z.number().default(0) }),
]);

const restart: z.ZodType<RestartRecord> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("normal"), score: z.number(), atMs: z.number(), notBeforeMs: z.number() }),
  z.object({ kind: z.literal("quarantined"), sinceMs: z.number(), notBeforeMs: z.number() }),
]);

const filling = z.object({
  instance: z.string(),
  sinceMs: z.number(),
  generation: z.int(),
  ports: z.object({ port: z.int().optional(), adminPort: z.int() }).optional(),
});

const memorySchema = z.object({
  /** By instance. */
  intents: z.record(z.string(), intent),
  /** By slot: the instance that filled it last, since when, how many have, and the ports it told, should its log be gone. */
  fillings: z.record(z.string(), filling),
  /** By slot; a slot that is not here is unblemished. */
  restarts: z.record(z.string(), restart).default({}),
  /** By slot. */
  holds: z.record(z.string(), z.object({ sinceMs: z.number() })).default({}),
});

export type Memory = z.infer<typeof memorySchema>;

export const nothing: Memory = { intents: {}, fillings: {}, restarts: {}, holds: {} };

export function memoryFile(registryFile: string): string {
  return join(dirname(registryFile), "watchdog.json");
}

export async function recall(file: string): Promise<Memory> {
  try {
    return memorySchema.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    return structuredClone(nothing);
  }
}

export async function remember(file: string, memory: Memory): Promise<void> {
  await writeAtomically(file, `${JSON.stringify(memory)}\n`);
}
