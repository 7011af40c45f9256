// Pure. A listed container as the watchdog sees a member: its life, where it is, what it said, which one it succeeds.

import { reports } from "../../../desired/slot.ts";
import type { Found } from "../../discovery.ts";
import { composeLabel } from "../compose-labels.ts";
import { isPrevious } from "../container-names.ts";
import { type Addresses, addressesOf, type Neighbours } from "./addresses.ts";
import type { Inspected } from "./document.ts";
import {
  awaitsOwnCheck,
  isHealthy,
  isOurs,
  isUnhealthy,
  lifeOf,
  makingOf,
  passesOwnCheck,
  startPeriodMsOf,
  stopTimeoutMsOf,
} from "./inspected.ts";
import type { Listed, Listing } from "./listing.ts";
import { networkHolder, parentsOf } from "./namespaces.ts";
import { obstacleOf } from "./obstacle.ts";
import { aloneIn, mayOverlap } from "./overlap.ts";
import { recreatedOf } from "./recreated.ts";

export interface ContainerSurroundings {
  readonly listing: Listing;
  /** The member's own reports. */
  readonly told: Pick<Found, "ports" | "draining" | "unheard">;
  readonly neighbours: Neighbours;
  /** The containers that a watchdog made last for the slot. */
  readonly made: readonly string[];
  /** By the engine's clock. */
  readonly engineMs: number;
}

/** An application's first page may take its time. */
const ANY_ANSWER_MS = 2_000;
/** What its own health check is given beyond its start period. */
const START_BEYOND_PERIOD_MS = 30_000;

export function foundOf(listed: Listed, surroundings: ContainerSurroundings): Found {
  const { slot, inspected } = listed;
  const { listing, neighbours, made, engineMs } = surroundings;
  const document = inspected as unknown as Inspected;
  const alone = isPrevious(inspected);
  const previous = listing.members.find((other) => !alone && other.slot.id === slot.id && isPrevious(other.inspected));
  const addresses = addressesOf(networksOf(listed, listing), neighbours);
  const told = reports(slot) ? surroundings.told : { ...surroundings.told, ...foreign(listed, engineMs) };
  const isKnown = addresses.host !== undefined && told.ports !== undefined;
  const ours = isOurs(inspected) || made.includes(inspected.Id);
  const recreated = recreatedOf(listed, { members: listing.members, ours, engineMs });
  const only = aloneIn(document);
  const there = new Set(listing.all.map(({ Id }) => Id));
  return {
    slot: slot.id,
    instance: inspected.Id,
    ours,
    madeMs: Date.parse(inspected.Created),
    life: alone ? { kind: "previous", running: inspected.State.Running } : lifeOf(inspected),
    stopTimeoutMs: stopTimeoutMsOf(inspected),
    ...told,
    passesOwnCheck: passesOwnCheck(inspected),
    unhealthy: isUnhealthy(inspected, engineMs),
    stranded: parentsOf(document.HostConfig).some((id) => !there.has(id)),
    overlaps: mayOverlap(document),
    image: inspected.Image,
    making: makingOf(inspected),
    ...(previous === undefined ? {} : { succeeds: previous.inspected.Id }),
    ...addresses,
    ...(slot.role === "worker" && { outOfSight: true as const }),
    ...(only !== undefined && { alone: only }),
    ...(isHealthy(inspected) && { healthy: true as const }),
    ...(replicated(listed, listing) && { replicated: true as const }),
    ...(recreated === undefined ? {} : { recreated }),
    ...(!isKnown && { obstacle: obstacleTo({ inspected, told, addresses, neighbours }) }),
  };
}

/** Those on which it may be reached: the one that its label names, or all. */
function networksOf(
  { slot, inspected }: Listed,
  { all }: Listing,
): Readonly<Record<string, { readonly IPAddress: string }>> {
  const networks = networkHolder(inspected, all)?.NetworkSettings.Networks ?? {};
  const { network } = slot.labels ?? {};
  if (network === undefined) return networks;
  const names = new Set([network, `${inspected.Config.Labels[composeLabel.project]}_${network}`]);
  return Object.fromEntries(Object.entries(networks).filter(([name]) => names.has(name)));
}

/** What the labels and the engine say of a member that says nothing itself. */
function foreign({ slot, inspected }: Listed, engineMs: number): Partial<Found> {
  const { port, health: path, healthTimeoutMs, startMs } = slot.labels ?? {};
  const timeoutMs = healthTimeoutMs ?? (path === undefined ? ANY_ANSWER_MS : undefined);
  const periodMs = startPeriodMsOf(inspected);
  return {
    ...(port === undefined || slot.faults !== undefined ? {} : { ports: { port } }),
    check: { ...(path && { path }), ...(timeoutMs && { timeoutMs }) },
    ...(path === undefined && awaitsOwnCheck(inspected, engineMs) && { gated: true as const }),
    startMs: startMs ?? periodMs + START_BEYOND_PERIOD_MS,
  };
}

/** Does Compose count others beside it? */
function replicated({ slot, inspected }: Listed, { members }: Listing): boolean {
  const { id, service } = slot;
  if (service === undefined || isPrevious(inspected)) return false;
  return members.some((other) => other.slot.service === service && other.slot.id !== id);
}

interface UnknownMember extends Pick<ContainerSurroundings, "told" | "neighbours"> {
  readonly inspected: Listed["inspected"];
  readonly addresses: Addresses;
}

function obstacleTo({ inspected, told, addresses, neighbours }: UnknownMember): string {
  const { refused } = told.unheard;
  if (addresses.host !== undefined && refused !== undefined) return refused;
  const near = [neighbours.own, ...neighbours.fronts].flatMap((names) => [...names]);
  const { what, fix } = obstacleOf(inspected, new Set(near));
  return `${what}: ${fix}`;
}
