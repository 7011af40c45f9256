// Every JSON document that the watchdog's port serves, as a schema. Their types are inferred from here: the server builds
// values of these types (view.ts, json-api.ts), and every reader parses with the same schemas (client.ts).

import * as z from "zod";
import { memberStates } from "../../services/registry/document.ts";
import { roles, slotRoles } from "../../services/runtime/roles.ts";
import { WEIGHT_MAX } from "../desired/label-kinds.ts";
import { incidentSchema, incidentSummarySchema } from "../incidents/incident.ts";
import { rollPhases, rollTargets } from "../rollout/roll.ts";
import { scalePhases } from "../rollout/scale.ts";

/** What the engine says of the member that fills a slot, or what the watchdog knows better. */
const memberLives = [
  "created",
  "running",
  "paused",
  "previous",
  "exited",
  "absent",
  "healing",
  "stopped on purpose",
  "misconfigured",
] as const;

const restartsSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("normal") }),
  /** `until`: no try before this time. */
  z.object({ kind: z.literal("quarantined"), until: z.iso.datetime() }),
]);

const slotRowSchema = z.object({
  slot: z.string(),
  role: z.enum(slotRoles),
  group: z.string().nullable(),
  life: z.enum(memberLives),
  state: z.enum([...memberStates, "out of the registry"]),
  address: z.string().nullable(),
  /** How many times the slot has been filled. */
  generation: z.int().nonnegative().nullable(),
  /** The engine's own id of the member: a container's, or one made for a process. */
  instance: z.string().nullable(),
  /** Where members are processes of the watchdog's. */
  pid: z.int().positive().nullable(),
  /** The machine that it is on, where there are several. */
  node: z.exactOptional(z.string()),
  /** An operator took the slot over: nothing is done about it until it is released. */
  held: z.boolean(),
  /** The same for all of its service. */
  paused: z.boolean(),
  /** A server's share beside the others of its pool; null for what is none. */
  weight: z.number().nonnegative().nullable(),
  /** Probes without an answer, in a row. */
  missed: z.int().nonnegative(),
  restarts: restartsSchema,
  /** What the watchdog is about to do, and why; null when there is nothing to do. */
  step: z.string().nullable(),
});

/** `GET /api/state` */
export const stateSchema = z.object({
  registry: z.object({ version: z.int().nonnegative(), writtenAt: z.iso.datetime() }),
  slots: z.array(slotRowSchema).readonly(),
  /** Why the last round failed; null: it did not. Where the engine does not answer nothing is healed meanwhile. */
  failing: z.string().nullable(),
});

/** `GET /api/incidents`; the newest first. */
export const incidentListSchema = z.object({ incidents: z.array(incidentSummarySchema).readonly() });

/** `GET /api/incidents/42` */
export const incidentDocumentSchema = incidentSchema.extend({
  /** Why the log is empty, where that is because of who asks. */
  logWithheld: z.exactOptional(z.string()),
});

/** What an operator may order of a slot. */
export const orderKinds = ["hold", "release", "heal"] as const;

/** `POST /api/slots/server-3/hold` */
export const orderTakenSchema = z.object({ slot: z.string(), order: z.enum(orderKinds) });

/** What an operator may order of a service. */
export const serviceOrderKinds = ["pause", "resume"] as const;

/** `POST /api/services/app/pause` */
export const serviceOrderTakenSchema = z.object({ service: z.string(), order: z.enum(serviceOrderKinds) });

/** The body of `POST /api/slots/server-3/weight`; null: what its label says. */
export const weightOrderSchema = z.object({ weight: z.int().min(0).max(WEIGHT_MAX).nullable() });

/** Its answer. */
export const weightTakenSchema = weightOrderSchema.extend({ slot: z.string() });

const rollRowSchema = z.object({
  service: z.string(),
  to: z.enum(rollTargets),
  order: z.enum(["start-first", "stop-first"]),
  /** Why it is in that order, where no label says so. */
  orderReason: z.string().nullable(),
  /** So many replicas at a time. */
  parallel: z.int().positive(),
  phase: z.enum(rollPhases),
  /** The slot of what the others become like. */
  sample: z.string(),
  /** Why it turned round, or ended. */
  reason: z.string().nullable(),
  /** It stands still until its service is resumed. */
  paused: z.boolean(),
  /** How many of the replicas are new. */
  rolled: z.int().nonnegative(),
  of: z.int().nonnegative(),
  slots: z.array(z.object({ slot: z.string(), rolled: z.boolean(), busy: z.boolean() })).readonly(),
});

const scaleRowSchema = z.object({
  service: z.string(),
  phase: z.enum(scalePhases),
  from: z.int().nonnegative(),
  to: z.int().positive(),
  /** Why it is undone. */
  reason: z.string().nullable(),
  /** It stands still until its service is resumed. */
  paused: z.boolean(),
  tookMs: z.number().nullable(),
  /** Those that are new, and whether each serves; or those that go, and whether each is gone. */
  slots: z.array(z.object({ slot: z.string(), done: z.boolean() })).readonly(),
});

/** `GET /api/scales`: of each service that was scaled, the last one. */
export const scaleListSchema = z.object({ scales: z.array(scaleRowSchema).readonly() });

/** The body of `POST /api/scales/app`. */
export const scaleOrderSchema = z.object({ replicas: z.int().min(1).max(64) });

/** Its answer; 202. */
export const scaleTakenSchema = scaleOrderSchema.extend({ service: z.string() });

/** `GET /api/rolls`: of each service that was rolled, the last one. */
export const rollListSchema = z.object({ rolls: z.array(rollRowSchema).readonly() });

/** The body of `POST /api/rolls/app`; none: to the sample that Compose has made. */
export const rollOrderSchema = z.preprocess(
  (body) => body ?? {},
  z.object({ to: z.enum(rollTargets).default("sample") }),
);

/** Its answer; 202. */
export const rollTakenSchema = z.object({ service: z.string(), to: z.enum(rollTargets) });

/** Every answer under /api that is not 200 or 202. */
export const apiErrorSchema = z.object({ error: z.string() });

const scrapeTargetSchema = z.object({
  targets: z.array(z.string()).readonly(),
  labels: z.object({
    member: z.string(),
    role: z.enum(roles),
    group: z.exactOptional(z.string()),
    instance: z.string(),
  }),
});

/** `GET /sd/targets`: https://prometheus.io/docs/prometheus/latest/http_sd/ */
export const scrapeTargetsSchema = z.array(scrapeTargetSchema).readonly();

export type SlotRow = Readonly<z.infer<typeof slotRowSchema>>;
export type StateDocument = Readonly<z.infer<typeof stateSchema>>;
export type IncidentDocument = Readonly<z.infer<typeof incidentDocumentSchema>>;
export type IncidentList = Readonly<z.infer<typeof incidentListSchema>>;
export type RollRow = Readonly<z.infer<typeof rollRowSchema>>;
export type RollList = Readonly<z.infer<typeof rollListSchema>>;
export type ScaleRow = Readonly<z.infer<typeof scaleRowSchema>>;
export type ScaleList = Readonly<z.infer<typeof scaleListSchema>>;
export type ScaleTaken = Readonly<z.infer<typeof scaleTakenSchema>>;
export type RollTaken = Readonly<z.infer<typeof rollTakenSchema>>;
export type OrderKind = (typeof orderKinds)[number];
export type OrderTaken = Readonly<z.infer<typeof orderTakenSchema>>;
export type ServiceOrderKind = (typeof serviceOrderKinds)[number];
export type ServiceOrderTaken = Readonly<z.infer<typeof serviceOrderTakenSchema>>;
export type WeightTaken = Readonly<z.infer<typeof weightTakenSchema>>;
export type ApiError = Readonly<z.infer<typeof apiErrorSchema>>;
export type ScrapeTarget = Readonly<z.infer<typeof scrapeTargetSchema>>;
