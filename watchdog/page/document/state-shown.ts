// Pure. A round's state -> the page's: a row a slot, the pools, all in a word.

import type { RollRow, ScaleRow } from "../../api/schema.ts";
import { nextShown, type RoundState, rowsOf } from "../../api/view.ts";
import { poolOf, serviceOf } from "../../desired/slot.ts";
import type { SlotState } from "../../rules/slot-state.ts";
import { cureOf, type OddState } from "./cure.ts";
import type { MemberShown, StateShown } from "./document.ts";
import { statusOf } from "./member-status.ts";
import { overallOf, poolsShown } from "./overall.ts";

/** What does not change while the watchdog lives. */
export interface SystemFacts {
  readonly engine: OddState["engine"];
  readonly project: string;
  readonly version: string;
  readonly watchdogSinceMs: number;
  readonly takesOrders: boolean;
}

export interface Rollouts {
  readonly rolls: readonly RollRow[];
  readonly scales: readonly ScaleRow[];
}

export function stateShown(round: RoundState, facts: SystemFacts, rollouts: Rollouts): StateShown {
  const { registry, slotStates, failing } = round;
  const rows = rowsOf(round);
  const members = slotStates.map((slotState, index) => memberShown(slotState, rows[index] as Row, facts));
  const pools = poolsShown(members, registry);
  const { engine: _, ...shown } = facts;
  const overview = {
    ...overallOf(members, pools, failing),
    failing: failing ?? null,
    ...shown,
    registryVersion: registry.version,
  };
  return { overview, members, pools, ...rollouts };
}

type Row = ReturnType<typeof rowsOf>[number];

function memberShown(slotState: SlotState, row: Row, { engine, project, version }: SystemFacts): MemberShown {
  const { slot, found } = slotState;
  const { held, paused, weight, group, address } = row;
  const status = statusOf(slotState, row);
  const service = serviceOf(slot);
  const drained = slotState.weight === 0;
  const { role, id } = slot;
  // A program of ours that runs without an image is of the watchdog's own version.
  const ofOurs = engine === "process" && slot.labels === undefined ? version : null;
  return {
    ...{ id, role, service, group, pool: poolOf(slot) ?? null },
    ...status,
    next: nextOf(row, status.reason),
    remarks: [...(row.node === undefined ? [] : [`on ${row.node}`]), ...remarksOf(slotState, row)],
    address,
    version: found?.image === undefined ? ofOurs : imageShown(found.image),
    weight,
    restarts: Math.max(0, (row.generation ?? 1) - 1),
    probe: probeShown(slotState),
    command: cureOf({ id, service, engine, project, held, paused, drained, status: status.status }),
    held,
    paused,
  };
}

/** Its reason, where that is not said already. */
function nextOf(row: Row, reason: string): string {
  const next = nextShown(row);
  return reason !== "" && next.endsWith(`: ${reason}`) ? next.slice(0, -reason.length - 2) : next;
}

function remarksOf({ weight, restart }: SlotState, { held, paused, state, life }: Row): string[] {
  const runs = life === "running";
  return [
    ...(held ? ["held"] : []),
    ...(paused ? ["service paused"] : []),
    ...(weight === 0 ? ["drained: weight 0"] : []),
    ...(runs && restart.kind === "quarantined" ? ["was quarantined"] : []),
    ...(runs && state === "down" ? ["out of traffic"] : []),
  ];
}

/** As `docker images` shows it. */
function imageShown(image: string): string {
  return image.replace(/^sha256:/, "").slice(0, 12);
}

function probeShown({ probed, found }: SlotState): string {
  switch (probed?.kind) {
    case "passed":
      return "passed";
    case "refused":
      return `answered ${probed.status}`;
    case "silent":
      return `silent: ${probed.reason}`;
    default:
      return found?.outOfSight ? "by its own health check" : "none yet";
  }
}
