// Carries out the plan's steps, one at a time for each slot and beside the loop. How a heal goes is replace.ts's, whether
// a successor stays is plan.ts's; this keeps account of what is under way, and logs it.

import { nowMs } from "../../services/runtime/clock.ts";
import type { Context } from "../../services/runtime/lifecycle.ts";
import { reports, type Slot } from "../desired/slot.ts";
import type { Discovery } from "../engines/discovery.ts";
import { DRAIN_MARGIN_MS, type Runner } from "../engines/runner.ts";
import type { HealProgress, Recorder } from "../incidents/recorder.ts";
import type { Observer } from "../observe/observer.ts";
import type { Step } from "../rules/plan.ts";
import { saysPortTaken } from "../rules/port-conflict.ts";
import type { SlotState } from "../rules/slot-state.ts";
import { drained, type FrontTier, versionWithout } from "./drained.ts";
import { NotMade } from "./not-made.ts";
import type { RegistryWriter } from "./registry-writer.ts";
import { type HealOutcome, hasEnded, heal, messageOf, startAgain, wayOut } from "./replace.ts";

/** One that answered no probe hangs, or has much to do: then it may finish some of it. */
const SILENT_GRACE_MS = 2_000;
/** What is under way at a member that does not drain by itself may take so long, unless a label says otherwise. */
const DRAIN_MS = 10_000;
const DONE = {
  commit: "heal-committed",
  "roll-back": "heal-rolled-back",
  start: "member-started",
  retire: "member-retired",
  add: "member-added",
} as const;

export interface ExecutorParts {
  readonly discovery: Pick<Discovery, "membersStay">;
  readonly runner: Runner;
  readonly context: Context;
  readonly observer: Observer;
  readonly registryWriter: RegistryWriter;
  readonly recorder: Recorder;
  /** Those that send requests to servers. */
  readonly tiers: () => readonly FrontTier[];
  /** Called when a step has changed something; what could not be done now has time until the next round. */
  readonly onOver: () => void;
}

type Of<Kind extends Step["kind"]> = Extract<Step, { kind: Kind }>;

export class Executor {
  readonly #parts: ExecutorParts;
  readonly #underWay = new Map<string, Promise<void>>();
  /** By slot: how long the previous member may take to finish its requests. */
  readonly #graceMs = new Map<string, number>();
  readonly #leaving = new Set<string>();
  /** By slot: why a replica of a roll or a scale could not be made, until whoever ordered it has seen it. */
  readonly addFailures = new NotMade();
  readonly #executors: {
    readonly [Kind in Step["kind"]]?: (step: Of<Kind>, slotState: SlotState) => Promise<boolean>;
  } = {
    heal: (step, slotState) => this.#heal(step, slotState),
    commit: (step) => this.#commit(step),
    forget: (step) => this.#forget(step),
    add: (step) => this.#add(step),
    start: (step) => this.#start(step),
    retire: (step) => this.#retire(step),
    "roll-back": (step) => this.#rollBack(step),
  };

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
  }

  /** The slots of which a step is being carried out, as of now. */
  get busy(): ReadonlySet<string> {
    return new Set(this.#underWay.keys());
  }

  /** Begins a step; a step that waits is none to carry out. */
  act(step: Step, slotState: SlotState): void {
    const execute = this.#executors[step.kind] as ((step: Step, slotState: SlotState) => Promise<boolean>) | undefined;
    if (execute === undefined || this.#parts.context.stop.aborted) return;
    const { id } = step.slot;
    const over = execute(step, slotState).then((changed) => {
      this.#underWay.delete(id);
      if (changed) this.#parts.onOver();
    });
    this.#underWay.set(id, over);
  }

  /** The slots whose members are on their way out of traffic, because they are about to be stopped. */
  get leaving(): ReadonlySet<string> {
    return this.#leaving;
  }

  /** Resolves when nothing is under way. A step that is told to stop puts back what it had moved. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  async #heal(step: Of<"heal">, slotState: SlotState): Promise<boolean> {
    const { discovery, context, observer, recorder } = this.#parts;
    const { slot, reason, replaces } = step;
    const begunMs = nowMs();
    context.log("heal-begun", { slot: slot.id, reason, replaces });
    const starts = !discovery.membersStay && observer.isFirst(slot.id);
    const heard = starts ? undefined : recorder.begin(step, slotState, observer.troubleSinceMs(slot.id));
    observer.healBegun(slot.id, step.from !== undefined);
    if (step.gently && !reports(slot)) await this.#drain(slot);
    const outcome = await this.#replace(step, slotState, heard);
    this.#leaving.delete(slot.id);
    if (step.from !== undefined) this.addFailures.replaced(slot.id, outcome);
    this.#note(slot.id, outcome, nowMs() - begunMs);
    return outcome.kind === "started";
  }

  async #replace(step: Of<"heal">, slotState: SlotState, heard?: Promise<unknown>): Promise<HealOutcome> {
    const { slot, replaces, gently, portMoves, from, version } = step;
    const { runner, context, observer, registryWriter, recorder } = this.#parts;
    const drainMs = context.settings.DRAIN_TIMEOUT_MS + DRAIN_MARGIN_MS;
    this.#graceMs.set(slot.id, gently ? drainMs : SILENT_GRACE_MS);
    // The balancer's port is the one that everybody knows.
    const moves = slot.role === "balancer" ? 0 : portMoves;
    const ownSettings = { REGISTRY: JSON.stringify(registryWriter.registry), ...(moves > 0 ? { PORT: "" } : {}) };
    const environment = reports(slot) ? ownSettings : {};
    const onStep = (done: HealProgress) => recorder.progressed(slot.id, done);
    const like = { ...(from !== undefined && { from }), ...(version && { version }) };
    const wanted = { environment, portMoves: moves, onLost: this.#onLost(slot), ended: hasEnded(slotState), ...like };
    const { removeFirst, stopMs } = wayOut(slotState, step, drainMs);
    // Of several, it would have to go before there is one that its files could be copied into.
    const isLike = removeFirst && from === undefined && moves === 0;
    if (isLike && replaces !== undefined && (await runner.isUnique(replaces))) {
      const endsMs = hasEnded(slotState) ? undefined : this.#graceMs.get(slot.id);
      return startAgain({ runner, instance: replaces, stopMs: endsMs, stop: context.stop, onStep });
    }
    return heal({
      ...{ runner, slot, replaces, removeFirst, stopMs, wanted, onStep, stop: context.stop },
      heard: heard ?? Promise.resolve(),
      assertMeant: () => from === undefined && removeFirst && observer.assertMeant(slot),
    });
  }

  #onLost({ id: slot }: Slot): (what: string) => void {
    return (what) => {
      this.#parts.recorder.lost(slot, what);
      this.#parts.context.log("files-lost", { slot, what });
    };
  }

  #note(slot: string, outcome: HealOutcome, ms: number): void {
    const { context, observer, recorder } = this.#parts;
    if (outcome.kind === "failed" && saysPortTaken(outcome.reason)) observer.portTaken(slot);
    if (outcome.kind === "failed") recorder.failed(slot, outcome.reason);
    if (outcome.kind === "rolled-back") recorder.rolledBack(slot, "the watchdog was told to stop");
    const { kind, ...facts } = outcome;
    context.log(`heal-${kind}`, { slot, ms, ...facts });
  }

  async #commit({ slot, reason }: Of<"commit">): Promise<boolean> {
    const { runner } = this.#parts;
    const deadlineMs = this.#graceMs.get(slot.id) ?? SILENT_GRACE_MS;
    return this.#attempt({ slot: slot.id, reason }, "commit", () => runner.commit(slot.id, deadlineMs));
  }

  async #forget({ slot, reason }: Of<"forget">): Promise<boolean> {
    await this.#parts.runner.forget(slot.id);
    this.#parts.observer.forgotten(slot.id);
    this.#parts.context.log("slot-forgotten", { slot: slot.id, reason });
    return true;
  }

  /** Nothing new goes there from now on; what is under way has time to finish. One of ours drains by itself. */
  async #drain({ id, labels }: Slot): Promise<void> {
    const { onOver, context, registryWriter, tiers } = this.#parts;
    const { stop, log } = context;
    this.#leaving.add(id);
    onOver();
    const limitMs = labels?.drainMs ?? DRAIN_MS;
    const begunMs = nowMs();
    const idle = await drained({
      member: id,
      tiers: tiers(),
      version: () => versionWithout(registryWriter, id),
      limitMs,
      stop,
    });
    log("member-drained", { slot: id, idle, ms: nowMs() - begunMs });
  }

  async #start({ slot, reason, instance }: Of<"start">): Promise<boolean> {
    return this.#attempt({ slot: slot.id, reason }, "start", () => this.#parts.runner.start(instance));
  }

  async #add({ slot, from, version, unstarted, reason }: Of<"add">): Promise<boolean> {
    const { runner, registryWriter } = this.#parts;
    const environment = reports(slot) ? { REGISTRY: JSON.stringify(registryWriter.registry) } : {};
    const act = async () => {
      const like = { from, ...(version && { version }), onLost: this.#onLost(slot) };
      const instance = await runner.create(slot, { environment, ...like, replaces: { instance: undefined } });
      if (!unstarted) await runner.start(instance);
    };
    const failure = await this.#tried({ slot: slot.id, reason }, "add", act);
    this.addFailures.added(slot.id, failure);
    return true;
  }

  async #retire({ slot, reason, instance }: Of<"retire">): Promise<boolean> {
    const { runner, context, observer } = this.#parts;
    await this.#drain(slot);
    const retired = await this.#attempt({ slot: slot.id, reason }, "retire", async () => {
      await runner.stop(instance, context.settings.DRAIN_TIMEOUT_MS + DRAIN_MARGIN_MS);
      await runner.remove(instance);
      await runner.forget(slot.id);
      observer.forgotten(slot.id);
    });
    this.#leaving.delete(slot.id);
    return retired;
  }

  async #rollBack({ slot, reason, instance, portTaken }: Of<"roll-back">): Promise<boolean> {
    const { runner, recorder, observer } = this.#parts;
    if (portTaken) observer.portTaken(slot.id);
    // Its own last words are why it is taken away.
    await recorder.hearOut(slot.id, instance);
    const done = await this.#attempt({ slot: slot.id, reason }, "roll-back", () => runner.remove(instance));
    if (done) recorder.rolledBack(slot.id, reason);
    return done;
  }

  /** The end of a heal: when it cannot be done now, the next round plans it again. */
  async #attempt(
    facts: { slot: string; reason: string },
    kind: keyof typeof DONE,
    act: () => Promise<void>,
  ): Promise<boolean> {
    return (await this.#tried(facts, kind, act)) === undefined;
  }

  /** @returns why it failed */
  async #tried(
    facts: { slot: string; reason: string },
    kind: keyof typeof DONE,
    act: () => Promise<void>,
  ): Promise<string | undefined> {
    const { log } = this.#parts.context;
    const failure = await act().then(() => undefined, messageOf);
    if (failure === undefined) log(DONE[kind], facts);
    else log("heal-step-failed", { ...facts, step: kind, failure });
    return failure;
  }
}
