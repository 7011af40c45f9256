// Pure. The lines of a member's stdout that the watchdog reads: where it listens, whether it drains, which member it cannot
// reach. All other lines are somebody's log and pass unread.

import * as z from "zod";
import type { Slot } from "../desired/slot.ts";
import type { Ports } from "../engines/discovery.ts";

export type MemberReport = { readonly nonce?: string } & (
  | { readonly kind: "listening"; readonly ports: Ports }
  /** A tier could not reach a member. */
  | { readonly kind: "suspect"; readonly member: string; readonly atMs: number }
  /** It was told to stop, and takes no more than what is on its way to it. */
  | { readonly kind: "draining"; readonly atMs: number }
  /** A tier began, or ceased, to have somebody to forward to. */
  | { readonly kind: "readiness" }
);

/**
 * Is the first a tier, and the other one of the members that it forwards to? Only of these can it tell that one is out of reach.
 * @param all the slots there are: a balancer without proxies forwards to the servers
 */
export function mayForward(by: Slot, to: Slot, all: Iterable<Slot>): boolean {
  if (by.role === "balancer" && to.role === "server") return ![...all].some(({ role }) => role === "proxy");
  if (by.role === "balancer") return to.role === "proxy";
  const isOfGroup = to.group === undefined || by.group === undefined || to.group === by.group;
  return by.role === "proxy" && to.role === "server" && isOfGroup;
}

const port = z.int().min(1).max(65_535);
const nonce = z.string().optional();
const line = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("listening"),
    port: port.optional(),
    adminPort: port,
    link: z.literal(1).optional(),
    nonce,
  }),
  z.object({ event: z.literal("member-failing"), member: z.string(), time: z.iso.datetime(), nonce }),
  z.object({ event: z.literal("draining"), time: z.iso.datetime(), nonce }),
  z.object({ event: z.enum(["ready", "not-ready"]), nonce }),
]);

/** @returns undefined for a line that is no report */
export function parseReport(text: string): MemberReport | undefined {
  if (!text.startsWith("{")) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  const read = line.safeParse(parsed).data;
  if (read === undefined) return undefined;
  return { ...reportOf(read), ...(read.nonce === undefined ? {} : { nonce: read.nonce }) };
}

function reportOf(report: z.output<typeof line>): MemberReport {
  switch (report.event) {
    case "listening":
      return {
        kind: "listening",
        ports: {
          adminPort: report.adminPort,
          ...(report.port === undefined ? {} : { port: report.port }),
          ...(report.link === undefined ? {} : { link: report.link }),
        },
      };
    case "member-failing":
      return { kind: "suspect", member: report.member, atMs: Date.parse(report.time) };
    case "draining":
      return { kind: "draining", atMs: Date.parse(report.time) };
    case "ready":
    case "not-ready":
      return { kind: "readiness" };
    default:
      return report satisfies never;
  }
}
