// The loop: observe -> plan -> act -> publish -> wait. One round at a time; events wake it early; heals run beside it.
// It decides which members exist. Whether one is used is each tier's own opinion, and it never writes that.

import { createServer } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { Drain } from "../services/drain.ts";
import { type Context, tellHealthCheck } from "../services/lifecycle.ts";
import { listen, trafficPorts } from "../services/ports.ts";
import { api } from "./api.ts";
import { nowMs } from "./clock.ts";
import type { Engine } from "./engine.ts";
import { heal, messageOf, STOP_FAILED_MS } from "./heal.ts";
import { History } from "./history.ts";
import { watchdogMetrics } from "./metrics.ts";
import { plan, type Step } from "./plan.ts";
import { Publisher } from "./publisher.ts";
import type { Situation } from "./situation.ts";

export async function startWatchdog(context: Context): Promise<void> {
  const engine = await openEngine(context);
  const watchdog = new Watchdog(engine, context);
  await watchdog.run();
}

/** dockerode is loaded only where it is used. */
async function openEngine({ settings }: Context): Promise<Engine> {
  if (settings.ENGINE === "process") return (await import("./engine-process.ts")).openProcessEngine(settings);
  return (await import("./engine-docker.ts")).openDockerEngine(settings);
}

/** A little more than a member's own limit, so that it is the member that cuts, and says so. */
const DRAIN_MARGIN_MS = 1_000;

class Watchdog {
  readonly #engine: Engine;
  readonly #context: Context;
  readonly #publisher: Publisher;
  readonly #history: History;
  readonly #metrics = watchdogMetrics();
  /** The step of each slot that is being carried out. */
  readonly #acting = new Map<string, Promise<void>>();
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
    // `docker compose up --wait` returns when it is ready, which is when traffic flows.
    await tellHealthCheck(settings, { port, path: "/readyz" });
    log.info({ host: settings.HOST, port, adminPort: port, engine: settings.ENGINE }, "listening");
    this.#engine.watch((event) => {
      this.#history.event(event);
      this.#woken.abort();
    }, stop);

    while (!stop.aborted) await this.#round();

    // Heals first: one in the middle puts back what it had moved, before anything else is stopped.
    await Promise.all(this.#acting.values());
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
      this.#situations = await this.#history.observe(this.#engine, (slot) => this.#acting.has(slot));
      const limits = { missedMax: settings.PROBE_FAILURES, startTimeoutMs: settings.START_TIMEOUT_MS };
      this.#steps = plan(this.#situations, limits, nowMs());
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
    const acted = this.#carryOut(step).finally(() => {
      this.#acting.delete(slot.id);
      this.#woken.abort();
    });
    this.#acting.set(slot.id, acted);
  }

  async #carryOut(step: Exclude<Step, { kind: "wait" }>): Promise<void> {
    switch (step.kind) {
      case "heal":
        return this.#heal(step);
      case "settle":
        return this.#end(step, () => this.#engine.settle(step.slot.id));
      case "undo":
        return this.#end(step, () => this.#engine.remove(step.instance));
      default:
        return step satisfies never;
    }
  }

  async #heal({ slot, reason, replaces, gently, movesPort }: Step & { kind: "heal" }): Promise<void> {
    const { log, stop, settings } = this.#context;
    const startedMs = performance.now();
    log.info({ slot: slot.id, reason, replaces }, "heal-begun");
    this.#history.healBegun(slot.id);
    const { registry } = this.#publisher;
    const environment = {
      REGISTRY: JSON.stringify(registry),
      // A port that was fixed and is taken: the member looks for one in its range.
      ...(movesPort && slot.role !== "balancer" ? { PORT: "" } : {}),
    };
    const outcome = await heal({
      engine: this.#engine,
      slot,
      replaces,
      stopMs: gently ? settings.DRAIN_TIMEOUT_MS + DRAIN_MARGIN_MS : STOP_FAILED_MS,
      wanted: { environment, movesPort: movesPort && slot.role !== "balancer" },
      stop,
      onStep: () => {},
    });
    this.#metrics.healed(slot.id, outcome.kind);
    const level = outcome.kind === "failed" ? "error" : "info";
    const ms = Math.round(performance.now() - startedMs);
    log[level]({ slot: slot.id, ms, ...outcome, kind: undefined }, `heal-${outcome.kind}`);
  }

  /** Of a trial: the plan decides again when it could not be done. */
  async #end({ slot, kind, reason }: Step & { kind: "settle" | "undo" }, act: () => Promise<void>): Promise<void> {
    const { log } = this.#context;
    try {
      await act();
      log.info({ slot: slot.id, reason }, kind === "settle" ? "heal-settled" : "heal-undone");
    } catch (error) {
      log.error({ slot: slot.id, reason: messageOf(error) }, `${kind}-failed`);
    }
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
    if (!balancerServes || this.#acting.size > 0 || !this.#situations.every(arrived)) return;
    this.#ready = true;
    this.#context.log.info({ balancer: this.#context.settings.BALANCER_PORT }, "ready");
  }

  #isBalancer(id: string): boolean {
    return this.#situations.some(({ slot }) => slot.id === id && slot.role === "balancer");
  }
}
