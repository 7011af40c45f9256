// The loop: observe -> plan -> act -> publish -> wait. One round at a time; events wake it early; heals run beside it.
// It decides which members exist. Whether one is used is each tier's own opinion, and it never writes that.

import type { Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { monotonicMs } from "../services/runtime/clock.ts";
import { Drain } from "../services/runtime/drain.ts";
import { exitCode } from "../services/runtime/exit.ts";
import { type Context, tellHealthCheck } from "../services/runtime/lifecycle.ts";
import { Condition } from "../services/runtime/log.ts";
import { listen, trafficPorts } from "../services/runtime/ports.ts";
import { flushOut } from "../services/runtime/stdout.ts";
import { frontsOf } from "./act/drained.ts";
import { apiServer } from "./api/api.ts";
import { observedOrders } from "./api/observed-orders.ts";
import { ordersOf } from "./api/orders.ts";
import { rollsOf } from "./api/rolls.ts";
import { scalesOf } from "./api/scales.ts";
import { type Engine, type ObservedEngine, openEngine, watchdogHasEnded } from "./engines/engine.ts";
import { NOT_LEADING } from "./engines/runner.ts";
import { fenced } from "./leader/fence.ts";
import { holderId } from "./leader/holder.ts";
import { type Lease, openLease } from "./leader/lease.ts";
import { standBy } from "./leader/standby.ts";
import { pageOf } from "./page-parts.ts";
import { partsOf, type WatchdogParts } from "./parts.ts";
import { planRound } from "./round-plan.ts";
import { mayHandOver } from "./rules/hand-over.ts";
import type { Step } from "./rules/plan.ts";
import { isReady } from "./rules/readiness.ts";
import type { SlotState } from "./rules/slot-state.ts";

/** Waits as standby while another watchdog leads, then watches until told to stop. @throws StartupFailure */
export async function startWatchdog(context: Context): Promise<void> {
  const { settings, log, stop } = context;
  const id = await holderId(settings);
  const hasEnded = (holder: string) => watchdogHasEnded(holder, settings);
  const lease = await openLease({ registryFile: settings.REGISTRY_FILE, id, hasEnded, log, stop });
  // Nothing that was begun may be finished: the one that leads now does that. Our guardian starts us anew, to wait.
  lease.lost.addEventListener("abort", () => process.exit(1));
  try {
    await standBy(lease, context);
    const engine = await openEngine(settings, log);
    const held = engine.runner === undefined ? engine : { ...engine, runner: fenced(engine.runner, lease) };
    await new Watchdog(held, lease, context).run();
  } catch (error) {
    if (error !== stop.reason) throw error;
  } finally {
    await lease.release();
  }
}

/** However often it is woken, the engine gets some rest. */
const ROUND_MS_MIN = 50;

class Watchdog {
  readonly #lease: Pick<Lease, "held" | "release">;
  readonly #context: Context;
  readonly #parts: WatchdogParts;
  readonly #condition: Condition;
  #slotStates: readonly SlotState[] = [];
  #steps: readonly Step[] = [];
  #away: ReadonlySet<string> = new Set();
  #woken = new AbortController();
  /** The last writing of the registry. */
  #published: Promise<void> = Promise.resolve();
  /** Latched: every slot has been in traffic, or cannot be, at least once. */
  #ready = false;

  constructor(engine: Engine | ObservedEngine, lease: Pick<Lease, "held" | "release">, context: Context) {
    this.#lease = lease;
    this.#context = context;
    this.#parts = partsOf(engine, context, { wake: () => this.#wake(), tiers: () => frontsOf(this.#slotStates) });
    this.#condition = new Condition(context.log, "rounds");
  }

  async run(): Promise<void> {
    const { settings, log, stop } = this.#context;
    const server = this.#createServer();
    const drain = new Drain(server);
    const port = await listen(server, settings.HOST, trafficPorts(settings));
    await this.#open();
    // `docker compose up --wait` returns when it is ready, which is when traffic flows. Swarm would replace one whose rounds fail: no
    // other one there could do better.
    const path = this.#parts.runner === undefined ? "/healthz" : "/readyz";
    await tellHealthCheck(settings, { port, path });
    log("listening", { host: settings.HOST, port, adminPort: port, engine: settings.ENGINE, pid: process.pid });
    const { discovery, observer } = this.#parts;
    await discovery.watch((event) => {
      if (!observer.event(event)) return;
      if (event.kind === "signalled" && event.signal !== "KILL") void this.#publishIntents();
      // The death comes next: a round now would only be in the way of the one that sees it.
      if (event.kind !== "signalled" || event.signal !== "KILL") this.#wake();
    }, stop);

    while (!stop.aborted) {
      await this.#round();
      const { STANDBY } = settings;
      const { busy } = this.#parts.executor;
      if (STANDBY === "yes" && mayHandOver(this.#slotStates, busy.size) && !stop.aborted) await this.#handOver();
    }

    await this.#close();
    await drain.drain(0);
    log("stopped");
  }

  async #open(): Promise<void> {
    const { stateFile, observer, registryWriter, incidents, recorder, runner } = this.#parts;
    await stateFile.open();
    observer.open();
    // Where others start watchdogs anew somewhere else, followers hold what an earlier one has published.
    await registryWriter.open(observer.remembers || runner === undefined);
    await incidents.open();
    recorder.open();
  }

  async #close(): Promise<void> {
    const { executor, observer, stateFile, incidents, notifier, runner, feed } = this.#parts;
    feed.close();
    // Heals first: one in the middle puts back what it had moved, before anything else is stopped.
    await executor.finish();
    observer.close();
    await Promise.all([stateFile.save(), incidents.close(), notifier.close()]);
    await runner?.close();
  }

  /** The other one goes on from what is in the engine and on disk. Our guardian starts us anew, to stand by. */
  async #handOver(): Promise<never> {
    const { stateFile, incidents, notifier } = this.#parts;
    await Promise.all([stateFile.save(), incidents.close(), notifier.close()]);
    await this.#lease.release();
    await flushOut();
    process.exit(exitCode.handedOver);
  }

  #createServer(): Server {
    const { settings, log, stop } = this.#context;
    const { discovery, runner, registryWriter, feed, orders, metrics, incidents, stateFile } = this.#parts;
    const slotStates = () => this.#slotStates;
    const wake = () => this.#wake();
    const state = () => ({
      registry: registryWriter.registry,
      slotStates: this.#slotStates,
      steps: this.#steps,
      failing: this.#condition.reason,
    });
    const own = {
      controls: ordersOf({ orders, slotStates, wake }),
      rolls: rollsOf({ versions: discovery, state: () => stateFile.state, slotStates, log, wake }),
      scales: scalesOf({ state: () => stateFile.state, slotStates, log, wake }),
    };
    const observed = { stack: discovery.project ?? "", rolls: () => discovery.rolls ?? [] };
    const taken = runner === undefined ? observedOrders({ ...observed, controls: own.controls, slotStates }) : own;
    return apiServer({
      ready: () => this.#ready && !stop.aborted,
      state,
      metrics: metrics.registry,
      registry: feed.answer,
      ...taken,
      incidents,
      page: pageOf(this.#parts, settings, { state, ...taken }),
      token: settings.API_TOKEN,
      ownName: settings.ID,
    });
  }

  /** The next round begins now, or right after the one that is under way. */
  #wake(): void {
    this.#woken.abort();
  }

  async #round(): Promise<void> {
    const { settings, log, stop } = this.#context;
    const { observer, executor, stateFile, metrics } = this.#parts;
    const begunMs = monotonicMs();
    this.#woken = new AbortController();
    const breath = delay(ROUND_MS_MIN);
    const rest = delay(settings.PROBE_INTERVAL_MS, undefined, { signal: AbortSignal.any([this.#woken.signal, stop]) });
    rest.catch(() => {});
    try {
      this.#assertLeading();
      const busyBefore = executor.busy;
      const slotStates = await observer.observe(() => executor.busy);
      const terms = { settings, log, wake: () => this.#wake() };
      const { steps, away } = await planRound(this.#parts, { slotStates, busyBefore }, terms);
      // What is shown is what is acted upon, whatever becomes of the round: a row and its incident tell of one thing.
      this.#slotStates = slotStates;
      this.#steps = steps;
      this.#act(slotStates, steps);
      this.#away = away;
      const failure = await this.#publish(() => ({ slotStates, steps })).catch((error: Error) => error);
      this.#note(slotStates, steps);
      await stateFile.save();
      if (failure !== undefined) throw failure;
      this.#condition.recovered();
    } catch (error) {
      // The engine does not answer, or the disk is full: what runs goes on, and the next round looks again.
      this.#condition.failing((error as Error).message);
    }
    metrics.roundTook((monotonicMs() - begunMs) / 1_000, this.#condition.reason !== undefined);
    await rest.catch(() => {});
    await breath;
  }

  /** Whoever was asked to stop gets nothing new from now on, however long a busy engine takes to list the others. */
  async #publishIntents(): Promise<void> {
    const { observer } = this.#parts;
    // What cannot be written now is the next round's.
    await this.#publish(() => ({ slotStates: observer.withIntents(this.#slotStates), steps: this.#steps })).catch(
      () => {},
    );
  }

  /** One at a time. */
  #publish(state: () => { readonly slotStates: readonly SlotState[]; readonly steps: readonly Step[] }): Promise<void> {
    const { observer, registryWriter, executor } = this.#parts;
    const published = this.#published.then(() => {
      this.#assertLeading();
      const { leaving } = executor;
      return registryWriter.publish({ ...state(), generations: observer.generations(), leaving, away: this.#away });
    });
    this.#published = published.catch(() => {});
    return published;
  }

  /** One that stood still in the middle of a round must not write over what another one has written since. */
  #assertLeading(): void {
    if (!this.#lease.held()) throw new Error(NOT_LEADING);
  }

  #act(slotStates: readonly SlotState[], steps: readonly Step[]): void {
    const bySlot = new Map(slotStates.map((slotState) => [slotState.slot.id, slotState]));
    for (const step of steps) this.#parts.executor.act(step, bySlot.get(step.slot.id) as SlotState);
  }

  #note(slotStates: readonly SlotState[], steps: readonly Step[]): void {
    const { registryWriter, executor, recorder, metrics, stateFile, runner } = this.#parts;
    const { version, members } = registryWriter.registry;
    metrics.round({ slotStates, version, rolls: stateFile.state.rolls.values() });
    recorder.round(slotStates, steps, members);
    if (this.#ready || executor.busy.size > 0) return;
    // What is only observed comes up in its own time, and needs this watchdog for it.
    if (runner !== undefined && !isReady({ slotStates, steps, members })) return;
    this.#ready = true;
    this.#context.log("ready", { balancer: this.#context.settings.BALANCER_PORT });
  }
}
