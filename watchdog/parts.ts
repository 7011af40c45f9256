// The parts that a watchdog is put together from, each made with those that it needs. Nothing is opened or started here.

import type { Context } from "../services/runtime/lifecycle.ts";
import type { FrontTier } from "./act/drained.ts";
import { Executor } from "./act/executor.ts";
import { NoExecutor, type StepExecutor } from "./act/no-executor.ts";
import { RegistryFeed } from "./act/registry-feed.ts";
import { RegistryWriter } from "./act/registry-writer.ts";
import type { Discovery } from "./engines/discovery.ts";
import type { Engine, ObservedEngine } from "./engines/engine.ts";
import type { Runner } from "./engines/runner.ts";
import { timed } from "./engines/timed.ts";
import { Recorder } from "./incidents/recorder.ts";
import { Incidents } from "./incidents/store.ts";
import { type WatchdogMetrics, watchdogMetrics } from "./metrics.ts";
import { Notifier } from "./notices/notifier.ts";
import { Observer } from "./observe/observer.ts";
import { OperatorOrders } from "./observe/operator-orders.ts";
import { StateFile } from "./observe/state-file.ts";

export interface WatchdogParts {
  readonly discovery: Discovery;
  /** Absent: the engine is only observed. */
  readonly runner?: Runner;
  readonly stateFile: StateFile;
  readonly orders: OperatorOrders;
  readonly observer: Observer;
  readonly executor: StepExecutor;
  readonly registryWriter: RegistryWriter;
  readonly feed: RegistryFeed;
  readonly incidents: Incidents;
  readonly notifier: Notifier;
  readonly recorder: Recorder;
  readonly metrics: WatchdogMetrics;
}

export interface PartsOptions {
  /** Called when the next round should begin at once. */
  readonly wake: () => void;
  /** Those that send requests to servers, as the last round saw them. */
  readonly tiers: () => readonly FrontTier[];
}

export function partsOf(
  engine: Engine | ObservedEngine,
  context: Context,
  { wake, tiers }: PartsOptions,
): WatchdogParts {
  const { settings, log } = context;
  const { REGISTRY_FILE, NOTIFY_URL: url } = settings;
  const metrics = watchdogMetrics();
  const { discovery, runner } = timed(engine, metrics.engineCalled);
  const stateFile = new StateFile(REGISTRY_FILE);
  const orders = new OperatorOrders(stateFile);
  const observer = new Observer({ discovery, settings, log, stateFile, orders, onNews: wake });
  const registryWriter = new RegistryWriter(REGISTRY_FILE, log, () => feed.published());
  const onHeard = (version: number) => {
    if (registryWriter.heard(version)) wake();
  };
  const feed = new RegistryFeed({ registry: () => registryWriter.registry, onHeard });
  const incidents = new Incidents(REGISTRY_FILE, log);
  const notifier = new Notifier({ url, log, project: discovery.project });
  const recorder = new Recorder({ discovery, incidents, notifier, metrics });
  const acting = { context, observer, registryWriter, recorder, tiers, onOver: wake };
  const executor = runner === undefined ? new NoExecutor() : new Executor({ discovery, runner, ...acting });
  return {
    discovery,
    ...(runner && { runner }),
    stateFile,
    orders,
    observer,
    executor,
    registryWriter,
    feed,
    incidents,
    notifier,
    recorder,
    metrics,
  };
}
