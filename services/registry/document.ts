// The registry document: its schema, how it is parsed and how it is written.
// The watchdog alone writes; follower.ts reads. Says nothing about who should be in it.

import * as z from "zod";
import { writeAtomically } from "../runtime/atomic-file.ts";
import { policies } from "../runtime/policies.ts";
import { trafficRoles } from "../runtime/roles.ts";

export const memberStates = ["starting", "serving", "draining", "down"] as const;
export type MemberState = (typeof memberStates)[number];

/** Of a whole document: some twenty thousand members. */
export const REGISTRY_BYTES_MAX = 4 * 1_048_576;
const TEXT_MAX = 1_024;
const DAY_MS = 86_400_000;
const ROUTES_MAX = 1_024;

const registryMember = z.object({
  id: z.string().min(1),
  role: z.enum(trafficRoles),
  group: z.string().min(1).optional(),
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  /** Absent for a member that is not ours: it is then probed by connecting to its port. */
  adminPort: z.int().min(1).max(65_535).optional(),
  /** The version of the link (services/link) that it speaks on `port`; absent: HTTP/1.1 alone. */
  link: z.literal(1).optional(),
  state: z.enum(memberStates),
  weight: z.number().nonnegative().max(1_000).optional(),
  /** A server's: those of one pool do the same work. Absent: the one there always was. */
  pool: z.string().min(1).max(TEXT_MAX).optional(),
  /** The path that answers 200 to 399 while a member without an admin port is healthy; absent: it is probed by connecting. */
  health: z.string().startsWith("/").max(TEXT_MAX).optional(),
  /** What is taken off the front of a request's path on its way there. */
  strip: z.string().startsWith("/").max(TEXT_MAX).optional(),
  /** The machine that it is on, where there are several. */
  node: z.string().min(1).max(TEXT_MAX).optional(),
  /** Somebody, such as Compose, makes it anew: so long, in ms, a request may wait for that where nobody else serves. */
  recreating: z.int().min(0).max(DAY_MS).optional(),
  /** How many times the slot has been filled; a new generation is a new instance, with no past. */
  generation: z.int().nonnegative().optional(),
});

const registryPool = z.object({
  /** As its members' `pool`. */
  name: z.string().min(1).max(TEXT_MAX),
  /** Which requests are for it: those of a host, of any below a host (`*.b.org`), of all; and of a path and all below it. */
  routes: z
    .array(
      z.object({ host: z.string().min(1).max(TEXT_MAX).optional(), path: z.string().startsWith("/").max(TEXT_MAX) }),
    )
    .max(ROUTES_MAX),
  /** How its servers are chosen. */
  policy: z.enum(policies).optional(),
  /** Sessions stick to a server by this cookie. */
  sticky: z.string().min(1).max(TEXT_MAX).optional(),
  /** The longest wait for a response's head, in ms. */
  timeoutMs: z.int().min(1).max(DAY_MS).optional(),
  /** The largest body of a request, in bytes. */
  bodyBytesMax: z.int().min(1).optional(),
});

/** Versions go round, in half of what a number counts exactly: behind each, whoever wrote it, comes one that is newer. */
const VERSIONS = (Number.MAX_SAFE_INTEGER + 1) / 2;

const registrySchema = z.object({
  schema: z.literal(1),
  /** Only grows, to 2^52 - 1, and then begins at 0 again. */
  version: z
    .int()
    .nonnegative()
    .max(VERSIONS - 1, "it is too large to be a count of changes"),
  writtenAt: z.iso.datetime(),
  members: z.array(registryMember),
  /** Absent: there is one, which gets all requests. */
  pools: z.array(registryPool).optional(),
});

export type RegistryMember = Readonly<z.infer<typeof registryMember>>;
export type RegistryPool = Readonly<z.infer<typeof registryPool>>;
export type Registry = Readonly<Omit<z.infer<typeof registrySchema>, "members" | "pools">> & {
  readonly members: readonly RegistryMember[];
  readonly pools?: readonly RegistryPool[] | undefined;
};

export type ParsedRegistry =
  | { readonly ok: true; readonly registry: Registry }
  | { readonly ok: false; readonly reason: string };

/** Reads a document. A reason names the first thing wrong with it, in one line. */
export function parseRegistry(text: string): ParsedRegistry {
  if (text.trim() === "") return { ok: false, reason: "it is empty" };
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: `it is not JSON (${(error as Error).message.split("\n")[0]})` };
  }
  const parsed = registrySchema.safeParse(document);
  if (parsed.success) return { ok: true, registry: parsed.data as Registry };
  const issue = parsed.error.issues[0];
  return { ok: false, reason: `${issue?.path.join(".") || "the document"}: ${issue?.message}` };
}

/** Is it ahead by less than half of the circle? */
export function isNewerVersion(version: number, than: number): boolean {
  const ahead = (version - than + VERSIONS) % VERSIONS;
  return ahead > 0 && ahead < VERSIONS / 2;
}

export function nextVersion(version: number): number {
  return (version + 1) % VERSIONS;
}

/** @returns what was written */
export async function writeRegistry(file: string, registry: Registry): Promise<string> {
  const text = `${JSON.stringify(registry)}\n`;
  await writeAtomically(file, text);
  return text;
}
