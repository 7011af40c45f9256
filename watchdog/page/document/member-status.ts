// Pure. What one slot's state is called on the page, since when and why: (slot state, its row) -> a word, how bad it is, a reason.

import { takesTraffic } from "../../../services/runtime/roles.ts";
import type { SlotRow } from "../../api/schema.ts";
import { lastWords } from "../../rules/last-words.ts";
import type { SlotState } from "../../rules/slot-state.ts";
import { isDoneJob } from "../../rules/unknown-members.ts";
import type { MemberShown } from "./document.ts";

export type MemberStatus = Pick<MemberShown, "status" | "severity" | "reason" | "sinceMs">;

export function statusOf(slotState: SlotState, row: SlotRow): MemberStatus {
  const { slot, found, healing, restart, troubleSinceMs = null } = slotState;
  if (slot.faults !== undefined) return bad("misconfigured", slot.faults.join("; "), null);
  if (healing) return odd("healing", becauseOf(slotState), troubleSinceMs);
  if (row.life === "stopped on purpose") return off(row.life, "", slotState.intent?.atMs ?? null);
  if (found?.life.kind === "paused") return off("paused", "somebody paused it in the engine", troubleSinceMs);
  if (found?.life.kind === "running") return running(slotState, row);
  if (found !== undefined && isDoneJob(slotState, found)) return off("done", "it ended well: it is a job", null);
  const reason = becauseOf(slotState);
  if (restart.kind === "quarantined") return bad("quarantined", reason, restart.sinceMs);
  return bad("down", reason, troubleSinceMs);
}

function running(slotState: SlotState, row: SlotRow): MemberStatus {
  const { slot, found, probed, missed, missedSinceMs = null, servesSinceMs = null, troubleSinceMs = null } = slotState;
  const startedMs = found?.life.kind === "running" ? found.life.sinceMs : null;
  if (row.state === "draining") return odd("draining", "it was told to stop, and finishes what it has", troubleSinceMs);
  if (probed?.kind === "silent" && missed > 0) {
    const probes = missed === 1 ? "probe" : "probes";
    return odd("silent", `${missed} ${probes} went unanswered: ${probed.reason}`, missedSinceMs);
  }
  if (probed?.kind === "refused") return odd("not ready", `its answer was ${probed.status}`, troubleSinceMs);
  if (found?.unhealthy) return odd("unhealthy", "its own health check fails", troubleSinceMs);
  // A client and a worker are in no registry: to run is all that is asked of them.
  const well = takesTraffic(slot.role) ? "serving" : "running";
  const isIn = takesTraffic(slot.role) ? row.state === "serving" : true;
  if (probed?.kind === "passed" && isIn) return good(well, "", servesSinceMs);
  // It cannot be asked, or there is nothing to ask it by.
  if (probed === undefined && isIn && (found?.outOfSight || slot.role === "worker"))
    return good(well, found?.passesOwnCheck ? "by its own health check" : "", startedMs);
  const awaited = slotState.gated ? "its own health check has yet to pass" : "it has yet to answer";
  return odd("starting", awaited, startedMs);
}

/** What the engine says. */
function becauseOf({ found }: SlotState): string {
  switch (found?.life.kind) {
    case "exited":
      return lastWords(found.life);
    case "created":
      return found.life.error ?? "it was created and not started";
    case undefined:
      return "nothing fills the slot";
    default:
      return "";
  }
}

type Judge = (status: string, reason: string, sinceMs: number | null) => MemberStatus;

const good: Judge = (status, reason, sinceMs) => ({ status, severity: "good", reason, sinceMs });
const odd: Judge = (status, reason, sinceMs) => ({ status, severity: "odd", reason, sinceMs });
const bad: Judge = (status, reason, sinceMs) => ({ status, severity: "bad", reason, sinceMs });
const off: Judge = (status, reason, sinceMs) => ({ status, severity: "off", reason, sinceMs });
