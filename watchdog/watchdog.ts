// The loop: observe -> plan -> act -> publish -> wait. One round at a time; events wake it early; heals run beside it.
// It decides which members exist. Whether one is used is each tier's own opinion, and it never writes that.

import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { Drain } from "../services/drain.ts";
import type { Context } from "../services/lifecycle.ts";
import { listen, trafficPorts } from "../services/ports.ts";
import { api } from "./api.ts";
import type { Engine } from "./engine.ts";
import { heal } from "./heal.ts";
import { History } from "./history.ts";
import { watchdogMetrics } from "./metrics.ts";
import { plan, type Situation, type Step } from "./plan.ts";
import { Publisher } from "./publisher.ts";

export async function startWatchdog(context: Context): Promise<void> {
  const engine = await openEngine(context);
  const watchdog = new Watchdog(engine, context);
  await watchdog.run();
}

/** dockerode is loaded only where it is used. */
async function openEngine({ settings, log }: Context): Promise<Engine> {
  if (settings.ENGINE === "process") return (await import("./engine-process.ts")).openProcessEngine(settings);
  return (await import("./engine-docker.ts")).openDockerEngine(settings, log);
}

class Watchdog {
  readonly #engine: Engine;
  readonly #context: Context;
  readonly #publisher: Publisher;
  readonly #history: History;
  readonly #metrics = watchdogMetrics();
  readonly #healing = new Map<string, Promise<void>>();
  #situations: readonly Situation[] = [];
  #steps: readonly Step[] = [];
  #woken = new AbortController();
  /** Why rounds fail at the moment; empty: they do not. */
  #trouble = "";
  /** Latched: every slot has been in traffic, or cannot be, at least once. */
  #ready = false;

  constructor(engine: Engine, context: Context) {
    const { settings, log } = context;
    this.#engine = engine;
    this.#context = context;
    this.#publisher = new Publisher(settings.REGISTRY_FILE, log);
    this.#history = new History(settings, log);
  }

  async run(): Promise<void> {
    const { settings, log, stop } = this.#context;
    const server = createServer(
      api({
        ready: () => this.#ready && !stop.aborted,
        state: () => ({ registry: this.#publisher.registry, situations: this.#situations, steps: this.#steps }),
        metrics: this.#metrics.registry,
      }),
    );
    const drain = new Drain(server);
    const port = await listen(server, settings.HOST, trafficPorts(settings));
    await this.#publisher.open();
    await this.#history.open();
    log.info({ host: settings.HOST, port, engine: settings.ENGINE, pid: process.pid }, "listening");
    this.#engine.watch((event) => {
      this.#history.event(event);
      this.#woken.abort();
    }, stop);

    while (!stop.aborted) await this.#round();

    // Heals first: one in the middle puts back what it had moved, before anything else is stopped.
    await Promise.all(this.#healing.values());
    await this.#history.close();
    await this.#engine.close();
    await drain.drain(0);
    log.info({}, "stopped");
  }

  async #round(): Promise<void> {
    const { settings, stop } = this.#context;
    this.#woken = new AbortController();
    const rest = delay(settings.PROBE_INTERVAL_MS, undefined, { signal: AbortSignal.any([this.#woken.signal, stop]) });
    rest.catch(() => {});
    try {
      this.#situations = await this.#history.observe(this.#engine, (slot) => this.#healing.has(slot));
      const limits = { missedMax: settings.PROBE_FAILURES, startTimeoutMs: settings.START_TIMEOUT_MS };
      this.#steps = plan(this.#situations, limits, Date.now());
      for (const step of this.#steps) this.#act(step);
      await this.#publisher.publish(this.#situations, this.#history.generations());
      this.#metrics.round(this.#situations, this.#publisher.registry.version);
      this.#noteReadiness();
      this.#noteTrouble("");
    } catch (error) {
      // The engine does not answer, or the disk is full: what runs goes on, and the next round looks again.
      this.#noteTrouble((error as Error).message);
    }
    await rest.catch(() => {});
  }

  #act(step: Step): void {
    if (step.kind === "wait" || this.#context.stop.aborted) return;
    const { slot } = step;
    this.#healing.set(
      slot.id,
      this.#heal(step).finally(() => {
        this.#healing.delete(slot.id);
        this.#woken.abort();
      }),
    );
  }

  async #heal({ slot, reason, replaces }: Step & { kind: "heal" }): Promise<void> {
    const { log, stop } = this.#context;
    const startedMs = Date.now();
    log.info({ slot: slot.id, reason, replaces }, "heal-begun");
    this.#history.healBegun(slot.id);
    const { registry } = this.#publisher;
    const environment: Record<string, string> = registry.version > 0 ? { REGISTRY: JSON.stringify(registry) } : {};
    const outcome = await heal({ engine: this.#engine, slot, replaces, environment, stop });
    this.#metrics.healed(slot.id, outcome.kind);
    const level = outcome.kind === "failed" ? "error" : "info";
    log[level]({ slot: slot.id, ms: Date.now() - startedMs, ...outcome, kind: undefined }, `heal-${outcome.kind}`);
  }

  #noteTrouble(reason: string): void {
    if (reason === this.#trouble) return;
    if (reason === "") this.#context.log.info({ was: this.#trouble }, "rounds-go-on");
    else this.#context.log.error({ reason }, "round-failed");
    this.#trouble = reason;
  }

  /** Ready means that `docker compose up --wait` may return: the balancer serves, and no slot is still on its way. */
  #noteReadiness(): void {
    if (this.#ready) return;
    const states = new Map(this.#publisher.registry.members.map(({ id, state }) => [id, state]));
    const waiting = new Set(this.#steps.map(({ slot }) => slot.id));
    const arrived = ({ slot, wish, found }: Situation) =>
      slot.role === "client" ||
      states.get(slot.id) === "serving" ||
      wish?.kind === "stopped" ||
      found?.life.kind === "paused" ||
      waiting.has(slot.id);
    const balancerServes = [...states].some(([id, state]) => state === "serving" && this.#isBalancer(id));
    if (!balancerServes || this.#healing.size > 0 || !this.#situations.every(arrived)) return;
    this.#ready = true;
    this.#context.log.info({ balancer: this.#context.settings.BALANCER_PORT }, "ready");
  }

  #isBalancer(id: string): boolean {
    return this.#situations.some(({ slot }) => slot.id === id && slot.role === "balancer");
  }
}
