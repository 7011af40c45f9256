// Pure. Does Compose put another container in the place of this one? It makes that first, with a label that says what it replaces,
// then stops and removes this one, and starts the other at last (compose pkg/compose/convergence.go). Between the two nobody is
// there, and that is soon over: requests may wait for it.

import type { Found } from "../../discovery.ts";
import { composeLabel } from "../compose-labels.ts";
import type { Listed } from "./listing.ts";

/** So long after it has made a container, at most, Compose has stopped the one before; an interrupted `up` never does. */
const SOON_MS = 60_000;

interface Recreation {
  readonly members: readonly Listed[];
  /** Did a watchdog make it? Its labels are those of the container before it. */
  readonly ours: boolean;
  /** By the engine's clock. */
  readonly engineMs: number;
}

export function recreatedOf(
  { slot, inspected }: Listed,
  { members, ours, engineMs }: Recreation,
): NonNullable<Found["recreated"]> | undefined {
  const others = members.filter((other) => other.slot.id === slot.id && other.inspected.Id !== inspected.Id);
  if (others.some((other) => isWaiting(other, engineMs))) return "under way";
  if (ours || !replaces(inspected)) return undefined;
  return inspected.State.Running || isRecent(inspected, engineMs) ? "done" : undefined;
}

type Inspection = Listed["inspected"];

function isWaiting({ inspected }: Listed, engineMs: number): boolean {
  return inspected.State.Status === "created" && replaces(inspected) && isRecent(inspected, engineMs);
}

const replaces = ({ Config }: Inspection) => Boolean(Config.Labels[composeLabel.replaces]);

function isRecent({ Created }: Inspection, engineMs: number): boolean {
  return engineMs - Date.parse(Created) < SOON_MS;
}
