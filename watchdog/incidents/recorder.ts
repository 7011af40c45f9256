// Follows each heal through its steps and the rounds after it, and keeps it as an incident. Notifies people of heals that have
// ended, of quarantines, and of what is left to them. It decides nothing, and nothing waits for it.

import { setTimeout as delay } from "node:timers/promises";
import type { RegistryMember } from "../../services/registry/document.ts";
import { nowMs } from "../../services/runtime/clock.ts";
import type { Slot } from "../desired/slot.ts";
import type { Discovery } from "../engines/discovery.ts";
import { lastWords } from "../rules/last-words.ts";
import type { Step } from "../rules/plan.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { changesBetween, type MemberTraits } from "./changes.ts";
import { advanced, begun, exitOf, type IncidentStep } from "./course.ts";
import { type Durations, durations } from "./durations.ts";
import { type Incident, LOG_LINES_MAX } from "./incident.ts";
import type { Incidents } from "./store.ts";

/** What people are told of a slot. */
export interface Notice {
  readonly event: "heal" | "recovery" | "quarantine" | "alert";
  readonly slot: string;
  readonly role: Slot["role"];
  readonly reason: string;
  readonly incident?: Incident;
}

/** How far a heal has come. */
export type HealProgress = { readonly kind: "created"; readonly instance: string } | { readonly kind: "started" };

/** How a heal has ended; `rolled-back`: the member before has its place again. */
export type HealEnd = "healed" | "failed" | "rolled-back";

export interface RecorderParts {
  readonly discovery: Pick<Discovery, "lastLines">;
  readonly incidents: Incidents;
  readonly notifier: { readonly send: (notice: Notice) => void };
  readonly metrics: {
    readonly healEnded: (slot: string, end: HealEnd, durations: Durations) => void;
    readonly quarantined: (slot: string) => void;
  };
}

const LAST_LINES_WITHIN_MS = 1_000;

interface OpenIncident {
  incident: Incident;
  rolledBack?: true;
  /** What was known of the member before. */
  readonly before: MemberTraits;
}

export class Recorder {
  readonly #parts: RecorderParts;
  /** By slot. */
  readonly #open = new Map<string, OpenIncident>();
  readonly #quarantined = new Map<string, boolean>();
  readonly #alerted = new Set<string>();
  #members: ReadonlyMap<string, RegistryMember> = new Map();

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** Takes over what a watchdog before this one has left under way. */
  open(): void {
    for (const incident of this.#parts.incidents.underWay()) this.#open.set(incident.slot, { incident, before: {} });
  }

  /**
   * @param detectedMs the first sign of the failure; undefined: now
   * @returns when the last lines of the member before are kept, or take too long: it may be removed then
   */
  async begin(
    { slot, reason, replaces }: Step & { kind: "heal" },
    { found }: SlotState,
    detectedMs = nowMs(),
  ): Promise<void> {
    const isOfSuccessor = replaces !== undefined && this.#open.get(slot.id)?.incident.successor === replaces;
    this.failed(slot.id, isOfSuccessor ? reason : "another heal has begun");
    const { incidents, discovery } = this.#parts;
    const start = { number: incidents.nextNumber(), slot, cause: reason, exit: exitOf(found?.life), log: [] };
    const incident = begun({ ...start, replaced: replaces, detectedMs, decidedMs: nowMs() });
    this.#open.set(slot.id, { incident, before: { image: found?.image, ...traitsOf(this.#members.get(slot.id)) } });
    this.#keep(incident);
    if (replaces === undefined) return;
    const heard = discovery.lastLines(replaces, LOG_LINES_MAX).then(
      (log) => this.#amend(slot.id, incident.number, { log }),
      () => {},
    );
    await Promise.race([heard, delay(LAST_LINES_WITHIN_MS, undefined, { ref: false })]);
  }

  progressed(slot: string, step: HealProgress): void {
    const atMs = nowMs();
    if (step.kind === "created") this.#advance(slot, { kind: "created", successor: step.instance, atMs });
    else this.#advance(slot, { kind: "started", atMs });
  }

  /** The successor lacks what the member before had. */
  lost(slot: string, what: string): void {
    const incident = this.#open.get(slot)?.incident;
    if (incident !== undefined) this.#amend(slot, incident.number, { changes: [...incident.changes, `lost: ${what}`] });
  }

  /** Keeps the last lines of a successor that is about to be removed: they say why. */
  async hearOut(slot: string, instance: string): Promise<void> {
    const open = this.#open.get(slot);
    if (open === undefined) return;
    const log = await this.#parts.discovery.lastLines(instance, LOG_LINES_MAX).catch(() => []);
    if (log.length > 0)
      this.#amend(slot, open.incident.number, { log: [...open.incident.log, ...log].slice(-LOG_LINES_MAX) });
  }

  failed(slot: string, reason: string): void {
    this.#advance(slot, { kind: "failed", reason, atMs: nowMs() });
  }

  /** It failed, and the member before, where there is one, has its place again. */
  rolledBack(slot: string, reason: string): void {
    const open = this.#open.get(slot);
    if (open !== undefined) open.rolledBack = true;
    this.failed(slot, reason);
  }

  round(slotStates: readonly SlotState[], steps: readonly Step[], members: readonly RegistryMember[]): void {
    this.#members = new Map(members.map((member) => [member.id, member]));
    const slots = new Set(slotStates.map(({ slot }) => slot.id));
    for (const slot of this.#quarantined.keys()) if (!slots.has(slot)) this.#quarantined.delete(slot);
    for (const slotState of slotStates) {
      this.#follow(slotState);
      this.#noteQuarantine(slotState);
    }
    this.#noteAlerts(steps);
  }

  #follow(slotState: SlotState): void {
    const { slot, found, probed } = slotState;
    const open = this.#open.get(slot.id);
    if (open === undefined) return;
    const overtaken = whyOver(open.incident, slotState);
    if (overtaken !== undefined) this.failed(slot.id, overtaken);
    if (found === undefined || found.instance !== open.incident.successor) return;
    const answers = probed?.kind === "passed" || probed?.kind === "refused";
    if (answers) this.#advance(slot.id, { kind: "ready", atMs: nowMs() });
    const member = this.#members.get(slot.id);
    // A member that takes no traffic, or has no member to forward to, has come as far as it can when it answers.
    const done = member === undefined || probed?.kind === "refused" ? answers : member.state === "serving";
    if (!done) return;
    const changes = changesBetween(open.before, { image: found.image, ...traitsOf(member) });
    this.#advance(slot.id, { kind: "in-traffic", changes, atMs: nowMs() });
  }

  #advance(slot: string, step: IncidentStep): void {
    const open = this.#open.get(slot);
    if (open === undefined) return;
    const incident = advanced(open.incident, step);
    if (incident === open.incident) return;
    open.incident = incident;
    this.#keep(incident);
    if (incident.outcome !== "under-way") this.#close(open);
  }

  #amend(slot: string, number: number, change: Partial<Pick<Incident, "log" | "changes">>): void {
    const open = this.#open.get(slot);
    if (open?.incident.number !== number) return;
    open.incident = { ...open.incident, ...change };
    this.#keep(open.incident);
  }

  #close({ incident, rolledBack }: OpenIncident): void {
    const { slot, role, cause, failure, outcome } = incident;
    this.#open.delete(slot);
    const end = outcome === "healed" ? outcome : rolledBack ? "rolled-back" : "failed";
    this.#parts.metrics.healEnded(slot, end, durations(incident));
    const reason = failure === undefined ? cause : `${cause}; and its heal failed: ${failure}`;
    this.#parts.notifier.send({ event: "heal", slot, role, reason, incident });
  }

  #keep(incident: Incident): void {
    void this.#parts.incidents.keep(incident);
  }

  /** A quarantine that an earlier watchdog has told of is not told again. */
  #noteQuarantine({ slot, restart }: SlotState): void {
    const is = restart.kind === "quarantined";
    const was = this.#quarantined.get(slot.id) ?? is;
    this.#quarantined.set(slot.id, is);
    if (is === was) return;
    if (is) this.#parts.metrics.quarantined(slot.id);
    const reason = is
      ? "it fails again and again: one heal a minute from now on"
      : "it has been in traffic for a minute";
    this.#tell(slot, is ? "quarantine" : "recovery", reason);
  }

  #noteAlerts(steps: readonly Step[]): void {
    const alerting = steps.filter((step) => step.kind === "wait" && step.alert);
    for (const { slot, reason } of alerting) if (!this.#alerted.has(slot.id)) this.#tell(slot, "alert", reason);
    this.#alerted.clear();
    for (const { slot } of alerting) this.#alerted.add(slot.id);
  }

  #tell({ id, role }: Slot, event: "quarantine" | "recovery" | "alert", reason: string): void {
    this.#parts.notifier.send({ event, slot: id, role, reason });
  }
}

/** Why a heal is over that the watchdog no longer works on: somebody else has ended it. */
function whyOver({ successor, replaced }: Incident, { healing, intent, found }: SlotState): string | undefined {
  if (healing) return undefined;
  if (intent?.kind === "stopped" && found?.life.kind !== "running") return "it was stopped on purpose";
  if (found?.life.kind === "exited" && found.instance === successor && intent === undefined)
    return lastWords(found.life);
  if (successor === undefined || found?.life.kind !== "running") return undefined;
  // The member before, which hung and still runs: the engine was asked before the successor was made.
  const expected = [successor, replaced].includes(found.instance);
  return expected ? undefined : "somebody put another member in its place";
}

function traitsOf(member: RegistryMember | undefined): MemberTraits {
  return { host: member?.host, port: member?.port, adminPort: member?.adminPort, generation: member?.generation };
}
