// A small world of one service with four replicas, of which one dies and is healed while somebody says `docker compose up`. Compose looks at
// one moment and acts on what it saw, as it does on a real engine: it keeps the lowest numbers, starts those of them that have ended, stops
// and removes the others, and makes what is missing, numbered on from the highest that it saw. The plan and the intents are the real ones.

import type { EngineEvent } from "../../../../watchdog/engines/discovery.ts";
import { plan, type Step } from "../../../../watchdog/rules/plan.ts";
import { unblemished } from "../../../../watchdog/rules/restart-policy.ts";
import type { SlotState } from "../../../../watchdog/rules/slot-state.ts";
import { intentAfter, type StopIntent } from "../../../../watchdog/rules/stop-intent.ts";
import { passed, running, slotState } from "../slot-states.ts";

const LIMITS = { missedMax: 2, startTimeoutMs: 5_000 };
const TICK_MS = 10;
const ROUND_MS = 50;
const AT_FIRST = 4;
const RUNS_MS = 4_500;
/** Of a heal, after its begin. */
const REMOVED_MS = 90;
const MADE_MS = 190;
const STARTED_MS = 290;
const OVER_MS = 390;
/** How long it takes to remove one that has been stopped. */
const REMOVAL_MS = 50;
/** Compose acts so long after it has looked. */
const ACTS_AFTER_MS = 20;

export interface Scenario {
  /** The numbers of the replicas that die. */
  readonly dies: readonly number[];
  /** When Compose looks, in ms after that. */
  readonly looksMs: number;
  readonly wants: number;
  /** How long a replica takes to stop. */
  readonly stopMs: number;
  /** How late the watchdog hears of an event. */
  readonly lagMs: number;
  /** How long after the death it may be healed; absent: at once. */
  readonly backOffMs?: number;
}

interface Container {
  readonly instance: string;
  readonly number: number;
  readonly ours: boolean;
  readonly madeMs: number;
  life: "created" | "running" | "exited";
}

type Told = Exclude<EngineEvent, { kind: "suspected" | "changed" }>;

export class ReplicaWorld {
  readonly #scenario: Scenario;
  #nowMs = 10_000;
  readonly #bornMs = this.#nowMs;
  #containers: Container[] = [];
  /** What happens later, in the order in which it was decided. */
  #later: { readonly atMs: number; readonly act: () => void }[] = [];
  readonly #known = new Map<number, { instance: string; emptied?: SlotState["emptied"] }>();
  readonly #intents = new Map<string, StopIntent>();
  readonly #healing = new Set<number>();
  readonly #ownEnds = new Set<string>();
  #made = 0;
  /** Has Compose stopped one that ran, or made one? Else nothing tells that it has counted at all. */
  acted = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    for (let number = 1; number <= AT_FIRST; number += 1)
      this.#make(number, false, this.#bornMs - 60_000).life = "running";
  }

  /** @returns the numbers that run in the end */
  run(): number[] {
    this.#round();
    this.#in(TICK_MS, () => this.#scenario.dies.map((number) => this.#die(number)));
    this.#in(TICK_MS + this.#scenario.looksMs, () => this.#compose());
    for (let ms = 0; ms < RUNS_MS; ms += TICK_MS) {
      this.#nowMs += TICK_MS;
      const due = this.#later.filter(({ atMs }) => atMs <= this.#nowMs);
      this.#later = this.#later.filter(({ atMs }) => atMs > this.#nowMs);
      for (const { act } of due) act();
      if (ms % ROUND_MS === 0) this.#round();
    }
    return this.#containers
      .filter(({ life }) => life === "running")
      .map(({ number }) => number)
      .sort((a, b) => a - b);
  }

  #in(ms: number, act: () => void): void {
    this.#later.push({ atMs: this.#nowMs + ms, act });
  }

  #make(number: number, ours: boolean, madeMs = this.#nowMs): Container {
    this.#made += 1;
    const made: Container = { instance: `app-${number}#${this.#made}`, number, ours, madeMs, life: "created" };
    this.#containers.push(made);
    return made;
  }

  #die(number: number): void {
    const one = this.#containers.find((each) => each.number === number);
    if (one === undefined) return;
    one.life = "exited";
    this.#tell({ kind: "died", instance: one.instance, engineMs: this.#nowMs });
  }

  #tell(event: Told): void {
    this.#in(this.#scenario.lagMs, () => this.#hear(event));
  }

  #hear(event: Told): void {
    const isOurs = this.#ownEnds.has(event.instance);
    if (event.kind === "removed") {
      const known = this.#known.get(Number(event.slot.slice(4)));
      if (known !== undefined) known.emptied = { engineMs: event.engineMs, ours: isOurs };
      return;
    }
    if (isOurs) return;
    const intent = intentAfter(this.#intents.get(event.instance), event, this.#nowMs);
    if (intent === undefined) this.#intents.delete(event.instance);
    else this.#intents.set(event.instance, intent);
  }

  #remove(one: Container): boolean {
    if (!this.#containers.includes(one)) return false;
    this.#containers = this.#containers.filter((each) => each !== one);
    this.#tell({
      kind: "removed",
      instance: one.instance,
      slot: `app-${one.number}`,
      engineMs: this.#nowMs,
    });
    return true;
  }

  #compose(): void {
    const saw = [...this.#containers].sort((one, other) => one.number - other.number);
    const { wants } = this.#scenario;
    this.#in(ACTS_AFTER_MS, () => {
      for (const one of saw.slice(wants)) this.#stopAndRemove(one);
      const highest = saw.at(-1)?.number ?? 0;
      for (let more = 1; more <= wants - saw.length; more += 1) {
        // Its name is taken, and that ends an up.
        const isTaken = this.#containers.some(({ number }) => number === highest + more);
        if (isTaken) continue;
        this.#make(highest + more, false);
        this.acted = true;
      }
      this.#in(TICK_MS, () => {
        const gone = new Set(saw.slice(wants));
        for (const one of this.#containers) if (!gone.has(one)) this.#start(one);
      });
    });
  }

  #start(one: Container): void {
    if (!this.#containers.includes(one) || one.life === "running") return;
    one.life = "running";
    this.#tell({ kind: "started", instance: one.instance, engineMs: this.#nowMs });
  }

  #stopAndRemove(one: Container): void {
    const { instance } = one;
    if (one.life !== "running") return void this.#remove(one);
    this.acted = true;
    this.#tell({ kind: "signalled", instance, signal: "TERM", engineMs: this.#nowMs });
    this.#in(this.#scenario.stopMs, () => {
      one.life = "exited";
      this.#tell({ kind: "died", instance, engineMs: this.#nowMs });
      this.#tell({ kind: "stopped", instance, engineMs: this.#nowMs });
      this.#in(REMOVAL_MS, () => this.#remove(one));
    });
  }

  #round(): void {
    for (const { number, instance, life } of this.#containers) {
      const known = this.#known.get(number);
      if (known === undefined) this.#known.set(number, { instance });
      else if (life === "running") known.instance = instance;
    }
    const states = [...this.#known.keys()].sort((one, other) => one - other).map((number) => this.#state(number));
    for (const step of plan(states, LIMITS, this.#nowMs)) this.#begin(step);
  }

  #state(number: number): SlotState {
    const id = `app-${number}`;
    const mine = this.#containers.find((each) => each.number === number);
    const { instance, emptied } = this.#known.get(number) as { instance: string; emptied?: SlotState["emptied"] };
    const intent = this.#intents.get(mine?.instance ?? instance);
    const { dies, backOffMs = 0 } = this.#scenario;
    const notBeforeMs = dies.includes(number) ? this.#bornMs + backOffMs : 0;
    const found = mine && { ...running(id, { life: lifeOf(mine), ours: mine.ours, madeMs: mine.madeMs }) };
    return {
      ...slotState(id, { slot: { id, role: "server", service: "app" }, seenSinceMs: this.#bornMs }),
      restart: { ...unblemished, notBeforeMs },
      healing: this.#healing.has(number),
      ...(mine && found && { found: { ...found, instance: mine.instance } }),
      ...(mine?.life === "running" && { probed: passed }),
      ...(emptied && { emptied }),
      ...(intent && { intent }),
    };
  }

  #begin(step: Step): void {
    const number = Number(step.slot.id.slice(4));
    if (step.kind === "forget") this.#known.delete(number);
    if (step.kind !== "heal" && step.kind !== "retire") return;
    this.#healing.add(number);
    const before = this.#containers.find((each) => each.number === number);
    if (before !== undefined) this.#in(REMOVED_MS, () => this.#endOurs(before));
    if (step.kind === "heal") this.#heal(number, before);
    else
      this.#in(OVER_MS, () => {
        this.#healing.delete(number);
        this.#known.delete(number);
      });
  }

  #endOurs(one: Container): void {
    if (this.#remove(one)) this.#ownEnds.add(one.instance);
  }

  #heal(number: number, before: Container | undefined): void {
    const over = () => this.#healing.delete(number);
    const begunMs = this.#nowMs;
    this.#in(MADE_MS, () => {
      if ([...this.#intents.values()].some(({ atMs }) => atMs >= begunMs)) return void over();
      const other = this.#containers.find((each) => each.number === number);
      if (other !== undefined && other !== before) return void over();
      const twin = this.#make(number, true);
      this.#in(STARTED_MS - MADE_MS, () => this.#start(twin));
      this.#in(OVER_MS - MADE_MS, over);
    });
  }
}

function lifeOf({ life, madeMs }: Container) {
  if (life === "exited") return { kind: "exited", code: 137, oom: false } as const;
  return life === "created" ? ({ kind: "created", madeMs } as const) : ({ kind: "running", sinceMs: madeMs } as const);
}
