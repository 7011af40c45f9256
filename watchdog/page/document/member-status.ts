// Pure. What one slot's state is called on the page, since when and why: (slot state, its row) -> a word, how bad it is, a reason.

import type { SlotRow } from "../../api/schema.ts";
import { lastWords } from "../../rules/last-words.ts";
import type { SlotState } from "../../rules/slot-state.ts";
import type { MemberShown } from "./document.ts";

export type MemberStatus = Pick<MemberShown, "status" | "severity" | "reason" | "sinceMs">;

export function statusOf(slotState: SlotState, row: SlotRow): MemberStatus {
  const { slot, found, healing, restart, troubleSinceMs = null } = slotState;
  if (slot.faults !== undefined) return bad("misconfigured", slot.faults.join("; "), null);
  if (healing) return odd("healing", becauseOf(slotState), troubleSinceMs);
  if (row.life === "stopped on purpose") return off(row.life, "", slotState.intent?.atMs ?? null);
  if (found?.life.kind === "paused") return off("paused", "somebody paused it in the engine", troubleSinceMs);
  if (found?.life.kind === "running") return running(slotState, row);
  const reason = becauseOf(slotState);
  if (restart.kind === "quarantined") return bad("quarantined", reason, restart.sinceMs);
  return bad("down", reason, troubleSinceMs);
}

/** A client and a worker are in no registry: to answer is all that they do. */
function running(slotState: SlotState, row: SlotRow): MemberStatus {
  const { found, probed, missed, missedSinceMs = null, servesSinceMs = null, troubleSinceMs = null } = slotState;
  const startedMs = found?.life.kind === "running" ? found.life.sinceMs : null;
  if (row.state === "draining") return odd("draining", "it was told to stop, and finishes what it has", troubleSinceMs);
  if (probed?.kind === "silent" && missed > 0) {
    return odd(
      "silent",
      `${missed} ${missed === 1 ? "probe" : "probes"} went unanswered: ${probed.reason}`,
      missedSinceMs,
    );
  }
  if (probed?.kind === "refused") return odd("not ready", `its answer was ${probed.status}`, troubleSinceMs);
  const isWell = row.state === "serving" || row.state === "out of the registry";
  if (probed?.kind === "passed" && isWell)
    return { status: "serving", severity: "good", reason: "", sinceMs: servesSinceMs };
  if (probed === undefined && found?.outOfSight && row.state === "serving")
    return { status: "serving", severity: "good", reason: "by its own health check", sinceMs: startedMs };
  return odd("starting", "it has yet to answer", startedMs);
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

const odd = (status: string, reason: string, sinceMs: number | null): MemberStatus => ({
  status,
  severity: "odd",
  reason,
  sinceMs,
});
const bad = (status: string, reason: string, sinceMs: number | null): MemberStatus => ({
  status,
  severity: "bad",
  reason,
  sinceMs,
});
const off = (status: string, reason: string, sinceMs: number | null): MemberStatus => ({
  status,
  severity: "off",
  reason,
  sinceMs,
});
