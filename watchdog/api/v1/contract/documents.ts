// The documents of /api/v1 beside those of schema.ts, and what each is called in the OpenAPI document.

import * as z from "zod";
import { incidentSummarySchema } from "../../../incidents/incident.ts";
import {
  incidentDocumentSchema,
  incidentListSchema,
  orderTakenSchema,
  rollListSchema,
  scaleListSchema,
  scaleOrderSchema,
  serviceOrderTakenSchema,
  stateSchema,
  weightOrderSchema,
  weightTakenSchema,
} from "../../schema.ts";
import { problemSchema } from "./problems.ts";

/** Orders that take their time. */
const longOrderKinds = ["heal", "roll", "rollback", "scale"] as const;

/** `undone`: all is as it was before. */
const orderStatuses = ["accepted", "under-way", "done", "failed", "undone"] as const;

const orderEventSchema = z.object({
  /** 1, 2, 3 of its order. */
  number: z.int().positive(),
  at: z.iso.datetime(),
  status: z.enum(orderStatuses),
  /** How it goes, in words. */
  text: z.string(),
});

/** `GET /api/v1/orders/{id}` */
const longOrderSchema = z.object({
  id: z.string(),
  kind: z.enum(longOrderKinds),
  /** The slot or the service that it is about. */
  subject: z.string(),
  status: z.enum(orderStatuses),
  orderedAt: z.iso.datetime(),
  /** null: it goes on. */
  endedAt: z.iso.datetime().nullable(),
  /** Of a heal, the incident that has all of it. */
  incident: z.int().positive().nullable(),
  /** What became of it so far, the oldest first. */
  events: z.array(orderEventSchema).readonly(),
});

/** `GET /api/v1/orders`; the newest first. */
const longOrderListSchema = z.object({ orders: z.array(longOrderSchema).readonly() });

export const incidentQuerySchema = z.object({
  slot: z.string("slot is given once").optional(),
  limit: z
    .string("limit is given once")
    .regex(/^[1-9]\d{0,8}$/, "limit is a whole number from 1")
    .optional(),
});

/** By their names in the OpenAPI document. */
export const documents = {
  State: stateSchema,
  Slot: stateSchema.shape.slots.unwrap().element,
  IncidentList: incidentListSchema,
  IncidentSummary: incidentSummarySchema,
  Incident: incidentDocumentSchema,
  RollList: rollListSchema,
  Roll: rollListSchema.shape.rolls.unwrap().element,
  ScaleList: scaleListSchema,
  Scale: scaleListSchema.shape.scales.unwrap().element,
  Order: longOrderSchema,
  OrderList: longOrderListSchema,
  OrderEvent: orderEventSchema,
  SlotOrder: orderTakenSchema,
  ServiceOrder: serviceOrderTakenSchema,
  SlotWeight: weightTakenSchema,
  WeightOrder: weightOrderSchema,
  ScaleOrder: scaleOrderSchema,
  Problem: problemSchema,
} as const satisfies Record<string, z.ZodType>;

export type DocumentName = keyof typeof documents;
export type LongOrder = Readonly<z.infer<typeof longOrderSchema>>;
export type LongOrderKind = (typeof longOrderKinds)[number];
export type OrderStatus = (typeof orderStatuses)[number];
export type OrderEvent = Readonly<z.infer<typeof orderEventSchema>>;
