// Pure. A listed container as the watchdog sees a member: its life, where it is, what it said, which one it succeeds.

import type { Found } from "../../discovery.ts";
import { isPrevious } from "../container-names.ts";
import { type Addresses, addressesOf, type Neighbours } from "./addresses.ts";
import type { Inspected } from "./document.ts";
import { isHealthy, isOurs, isUnhealthy, lifeOf, passesOwnCheck, stopTimeoutMsOf } from "./inspected.ts";
import type { Listed, Listing } from "./listing.ts";
import { networkHolder, parentsOf } from "./namespaces.ts";
import { obstacleOf } from "./obstacle.ts";
import { mayOverlap } from "./overlap.ts";

export interface ContainerSurroundings {
  readonly listing: Listing;
  /** The member's own reports. */
  readonly told: Pick<Found, "ports" | "draining" | "unheard">;
  readonly neighbours: Neighbours;
  /** By the engine's clock. */
  readonly engineMs: number;
}

export function foundOf(
  { slot, inspected }: Listed,
  { listing, told, neighbours, engineMs }: ContainerSurroundings,
): Found {
  const document = inspected as unknown as Inspected;
  const alone = isPrevious(inspected);
  const previous = listing.members.find((other) => !alone && other.slot.id === slot.id && isPrevious(other.inspected));
  const addresses = addressesOf(networkHolder(inspected, listing.all)?.NetworkSettings.Networks ?? {}, neighbours);
  const isKnown = addresses.host !== undefined && told.ports !== undefined;
  const there = new Set(listing.all.map(({ Id }) => Id));
  return {
    slot: slot.id,
    instance: inspected.Id,
    ours: isOurs(inspected),
    life: alone ? { kind: "previous", running: inspected.State.Running } : lifeOf(inspected),
    stopTimeoutMs: stopTimeoutMsOf(inspected),
    draining: told.draining,
    unheard: told.unheard,
    passesOwnCheck: passesOwnCheck(inspected),
    unhealthy: isUnhealthy(inspected, engineMs),
    stranded: parentsOf(document.HostConfig).some((id) => !there.has(id)),
    overlaps: mayOverlap(document),
    image: inspected.Image,
    ...(previous === undefined ? {} : { succeeds: previous.inspected.Id }),
    ...addresses,
    ...(isHealthy(inspected) && { healthy: true as const }),
    ...(told.ports === undefined ? {} : { ports: told.ports }),
    ...(!isKnown && { obstacle: obstacleTo({ inspected, told, addresses, neighbours }) }),
  };
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
