// The loop: observe -> plan -> act -> publish -> wait. One round at a time; events wake it early; heals run beside it.
// It decides which members exist. Whether one is used is each tier's own opinion, and it never writes that.

import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { nowMs } from "../services/runtime/clock.ts";
import { Drain } from "../services/runtime/drain.ts";
import { type Context, tellHealthCheck } from "../services/runtime/lifecycle.ts";
import { Condition } from "../services/runtime/log.ts";
import { listen, trafficPorts } from "../services/runtime/ports.ts";
import { Executor } from "./act/executor.ts";
import { Publisher } from "./act/registry-writer.ts";
import { api } from "./api/api.ts";
import { ordersOf } from "./api/orders.ts";
import { type Engine, openEngine } from "./engines/engine.ts";
import { Recorder } from "./incidents/recorder.ts";
import { Incidents } from "./incidents/store.ts";
import { fenced } from "./leader/fence.ts";
import { holderId } from "./leader/holder.ts";
import { type Lease, openLease } from "./leader/lease.ts";
import { standBy } from "./leader/standby.ts";
import { watchdogMetrics } from "./metrics.ts";
import { Notifier } from "./notices/notifier.ts";
import { History } from "./observe/observer.ts";
import { plan, type Step } from "./rules/plan.ts";
import { isReady } from "./rules/readiness.ts";
import type { SlotState } from "./rules/slot-state.ts";

/** Waits as standby while another watchdog leads, then watches until told to stop. @throws StartupFailure */
export async function startWatchdog(context: Context): Promise<void> {
  const { settings, log, stop } = context;
  const id = await holderId(settings);
  const lease = await openLease({ registryFile: settings.REGISTRY_FILE, id, log, stop });
  // Nothing that was begun may be finished: the one that leads now does that. Our guardian starts us anew, to wait.
  lease.lost.addEventListener("abort", () => process.exit(1));
  try {
    await standBy(lease, context);
    const { discovery, runner } = await openEngine(context.settings);
    await new Watchdog({ discovery, runner: fenced(runner, lease) }, lease, context).run();
  } catch (error) {
    if (error !== stop.reason) throw error;
  } finally {
    await lease.release();
  }
}

/** However often it is woken, the engine gets some rest. */
const ROUND_MS_MIN = 50;

class Watchdog {
  readonly #engine: Engine;
  readonly #lease: Pick<Lease, "held">;
  readonly #context: Context;
  readonly #publisher: Publisher;
  readonly #history: History;
  readonly #incidents: Incidents;
  readonly #notifier: Notifier;
  readonly #recorder: Recorder;
  readonly #executor: Executor;
  readonly #metrics = watchdogMetrics();
  #slotStates: readonly SlotState[] = [];
  #steps: readonly Step[] = [];
  #woken = new AbortController();
  readonly #condition: Condition;
  /** Latched: every slot has been in traffic, or cannot be, at least once. */
  #ready = false;

  constructor(engine: Engine, lease: Pick<Lease, "held">, context: Context) {
    const { settings, log } = context;
    const { REGISTRY_FILE, NOTIFY_URL: url } = settings;
    this.#engine = engine;
    this.#lease = lease;
    this.#context = context;
    this.#condition = new Condition(log, "rounds");
    this.#publisher = new Publisher(REGISTRY_FILE, log);
    this.#history = new History(settings, log, () => this.#wake());
    this.#incidents = new Incidents(REGISTRY_FILE, log);
    this.#notifier = new Notifier({ url, log, project: engine.discovery.project });
    const metrics = this.#metrics;
    this.#recorder = new Recorder({
      discovery: engine.discovery,
      incidents: this.#incidents,
      notifier: this.#notifier,
      metrics,
    });
    const [history, publisher, recorder] = [this.#history, this.#publisher, this.#recorder];
    const onOver = () => this.#wake();
    this.#executor = new Executor({ ...engine, context, history, publisher, recorder, metrics, onOver });
  }

  async run(): Promise<void> {
    const { settings, log, stop } = this.#context;
    const server = this.#createServer();
    const drain = new Drain(server);
    const port = await listen(server, settings.HOST, trafficPorts(settings));
    await this.#history.open();
    await this.#publisher.open(this.#history.remembers);
    await this.#incidents.open();
    this.#recorder.open();
    // `docker compose up --wait` returns when it is ready, which is when traffic flows.
    await tellHealthCheck(settings, { port, path: "/readyz" });
    log("listening", { host: settings.HOST, port, adminPort: port, engine: settings.ENGINE, pid: process.pid });
    await this.#engine.discovery.watch((event) => {
      this.#history.event(event);
      // The death comes next: a round now would only be in the way of the one that sees it.
      if (event.kind !== "signalled" || event.signal !== "KILL") this.#wake();
    }, stop);

    while (!stop.aborted) await this.#round();

    // Heals first: one in the middle puts back what it had moved, before anything else is stopped.
    await this.#executor.finish();
    await Promise.all([
      this.#history.close(this.#engine.discovery.self),
      this.#incidents.close(),
      this.#notifier.close(),
    ]);
    await this.#engine.runner.close();
    await drain.drain(0);
    log("stopped");
  }

  #createServer(): Server {
    const { settings, stop } = this.#context;
    const slotStates = () => this.#slotStates;
    return createServer(
      api({
        ready: () => this.#ready && !stop.aborted,
        state: () => ({ registry: this.#publisher.registry, slotStates: this.#slotStates, steps: this.#steps }),
        metrics: this.#metrics.registry,
        controls: ordersOf({ history: this.#history, slotStates, wake: () => this.#wake() }),
        incidents: this.#incidents,
        token: settings.API_TOKEN,
      }),
    );
  }

  /** The next round begins now, or right after the one that is under way. */
  #wake(): void {
    this.#woken.abort();
  }

  async #round(): Promise<void> {
    const { settings, stop } = this.#context;
    this.#woken = new AbortController();
    const breath = delay(ROUND_MS_MIN);
    const rest = delay(settings.PROBE_INTERVAL_MS, undefined, { signal: AbortSignal.any([this.#woken.signal, stop]) });
    rest.catch(() => {});
    try {
      this.#assertLeading();
      const slotStates = await this.#history.observe(this.#engine.discovery, () => this.#executor.busy);
      const limits = { missedMax: settings.PROBE_FAILURES, startTimeoutMs: settings.START_TIMEOUT_MS };
      const steps = plan(slotStates, limits, nowMs());
      this.#act(slotStates, steps);
      this.#assertLeading();
      await this.#publisher.publish({ slotStates, steps, generations: this.#history.generations() });
      this.#note(slotStates, steps);
      await this.#history.save();
      this.#condition.recovered();
    } catch (error) {
      // The engine does not answer, or the disk is full: what runs goes on, and the next round looks again.
      this.#condition.failing((error as Error).message);
    }
    await rest.catch(() => {});
    await breath;
  }

  /** One that stood still in the middle of a round must not write over what another one has written since. */
  #assertLeading(): void {
    if (!this.#lease.held()) throw new Error("another watchdog may lead by now");
  }

  #act(slotStates: readonly SlotState[], steps: readonly Step[]): void {
    const bySlot = new Map(slotStates.map((slotState) => [slotState.slot.id, slotState]));
    for (const step of steps) this.#executor.act(step, bySlot.get(step.slot.id) as SlotState);
  }

  #note(slotStates: readonly SlotState[], steps: readonly Step[]): void {
    const { version, members } = this.#publisher.registry;
    this.#slotStates = slotStates;
    this.#steps = steps;
    this.#metrics.round(slotStates, version);
    this.#recorder.round(slotStates, steps, members);
    if (this.#ready || this.#executor.busy.size > 0 || !isReady({ slotStates, steps, members })) return;
    this.#ready = true;
    this.#context.log("ready", { balancer: this.#context.settings.BALANCER_PORT });
  }
}
