// The prom-client registry that each process starts from: what it uses of the host, and which program it is. A role adds its own metrics;
// what every request changes is kept in plain numbers by whoever it belongs to, and read from there at a scrape. Of Node.js's many
// default metrics these are the ones that people look at, under the names that they know.

import { readdirSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { type Metric, Registry } from "prom-client";
import { monotonicMs } from "./clock.ts";
import { descriptorLimit } from "./descriptors.ts";
import { version } from "./version.ts";

/** Between two looks at the event loop: each wakes an idle process, and is in what is measured. */
const EVENT_LOOP_LOOK_MS = 100;
const LAG_WINDOW_MS = 15_000;
const NANOSECONDS = 1e9;

export type Labels = Readonly<Record<string, string | number>>;

export interface Sample {
  /** Where it is not the metric's: a histogram's have endings of their own. */
  readonly metricName?: string;
  readonly labels: Labels;
  /** One label more: several samples share the others. */
  readonly own?: readonly [name: string, value: string | number];
  readonly value: number;
}

export interface ReadMetric {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly labelNames?: readonly string[];
  /** Over several workers; a sum unless it says otherwise. */
  readonly aggregator?: "min" | "max";
  /** Called at each scrape. */
  readonly read: () => Iterable<Sample>;
}

/** Adds a metric that is read where it is kept. All that a registry asks of one are these properties; its types do not say so. */
export function addReadMetric(registry: Registry, metric: ReadMetric): void {
  const { name, help, type, labelNames = [], aggregator = "sum", read } = metric;
  const get = async () => ({ name, help, type, aggregator, values: Array.from(read(), flat) });
  const text = () => textOf(metric);
  registry.registerMetric({ name, help, type, labelNames, get, text } as unknown as Metric<string>);
}

function flat({ own, labels, ...sample }: Sample): Sample {
  return own === undefined ? { ...sample, labels } : { ...sample, labels: { ...labels, [own[0]]: own[1] } };
}

/** A tier over two hundred members has twelve thousand series, and stands still while they are written: shared labels are so once. */
class TextRegistry extends Registry {
  override async metrics(): Promise<string> {
    const all = this.getMetricsAsArray() as unknown as { readonly name: string; readonly text?: () => string }[];
    const texts = await Promise.all(all.map(({ name, text }) => text?.() ?? this.getSingleMetricAsString(name)));
    return `${texts.join("\n\n")}\n`;
  }
}

function textOf({ name, help, type, read }: ReadMetric): string {
  let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}`;
  let shared: Labels | undefined;
  let beginning = "";
  for (const { metricName = name, labels, own, value } of read()) {
    if (labels !== shared) beginning = Object.entries(labels).map(pairOf).join(",");
    shared = labels;
    const all = own === undefined ? beginning : beginning === "" ? pairOf(own) : `${beginning},${pairOf(own)}`;
    text += `\n${metricName}${all === "" ? "" : `{${all}}`} ${Number.isFinite(value) ? value : worded(value)}`;
  }
  return text;
}

function pairOf([name, value]: readonly [string, string | number]): string {
  return typeof value === "number" ? `${name}="${value}"` : `${name}="${escaped(value)}"`;
}

/** As the text format has it: https://prometheus.io/docs/instrumenting/exposition_formats/ */
function escaped(value: string): string {
  return /[\\"\n]/.test(value) ? value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n") : value;
}

function worded(value: number): string {
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

/** A metric of one series. */
export function single(name: string, type: "gauge" | "counter", help: string, read: () => number): ReadMetric {
  return { name, help, type, read: () => [{ labels: {}, value: read() }] };
}

export function processMetrics(): Registry {
  const registry = new TextRegistry();
  for (const metric of [...ofProgram(), ...ofProcess(), ...ofEventLoop()]) addReadMetric(registry, metric);
  return registry;
}

function* ofProgram(): Iterable<ReadMetric> {
  const labels = { version, node: process.versions.node };
  yield {
    name: "evenkeel_build_info",
    help: "1, with the version of Evenkeel and that of Node.js.",
    ...{ type: "gauge", aggregator: "max", labelNames: Object.keys(labels) },
    read: () => [{ labels, value: 1 }],
  };
}

function* ofProcess(): Iterable<ReadMetric> {
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  yield single("process_cpu_seconds_total", "counter", "Processor time used.", cpuSeconds);
  const started = single("process_start_time_seconds", "gauge", "When the process began, since 1970.", () => {
    return performance.timeOrigin / 1_000;
  });
  yield { ...started, aggregator: "min" };
  const memory = () => process.memoryUsage();
  yield single("process_resident_memory_bytes", "gauge", "Memory in use.", () => process.memoryUsage.rss());
  yield single("nodejs_heap_size_total_bytes", "gauge", "The JavaScript heap.", () => memory().heapTotal);
  yield single("nodejs_heap_size_used_bytes", "gauge", "Of it, what is in use.", () => memory().heapUsed);
  yield single("nodejs_external_memory_bytes", "gauge", "Buffers, outside of that heap.", () => memory().external);
  const limit = descriptorLimit();
  if (limit === undefined) return;
  yield single("process_open_fds", "gauge", "Files and connections that are open.", openFiles);
  yield single("process_max_fds", "gauge", "Files and connections that may be open.", () => limit);
}

function openFiles(): number {
  // Of which one is open to look.
  return readdirSync("/proc/self/fd").length - 1;
}

/** As long as one thing takes, everything else waits: lag and the share of time in use tell of overload before requests do. */
function* ofEventLoop(): Iterable<ReadMetric> {
  const lag = new EventLoopLag();
  const help = "Delay of the event loop in the last half minute at most, the 99th percentile.";
  const p99 = single("nodejs_eventloop_lag_p99_seconds", "gauge", help, () => lag.seconds.p99);
  yield { ...p99, aggregator: "max" };
  const ofLongest = "Delay of the event loop in the last half minute at most, the longest.";
  const longest = single("nodejs_eventloop_lag_max_seconds", "gauge", ofLongest, () => lag.seconds.max);
  yield { ...longest, aggregator: "max" };
  const active = "Time in which the event loop was not idle.";
  yield single("nodejs_eventloop_active_seconds_total", "counter", active, () => {
    return performance.eventLoopUtilization().active / 1_000;
  });
}

/** Whoever reads takes nothing from others who do: it is of the present window and the one before. */
class EventLoopLag {
  readonly #delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_LOOK_MS });
  #before = { p99: 0, max: 0 };
  #sinceMs = monotonicMs();

  constructor() {
    this.#delay.enable();
  }

  get seconds(): { readonly p99: number; readonly max: number } {
    const now = { p99: lagOf(this.#delay.percentile(99)), max: lagOf(this.#delay.max) };
    const told = { p99: Math.max(now.p99, this.#before.p99), max: Math.max(now.max, this.#before.max) };
    if (monotonicMs() - this.#sinceMs < LAG_WINDOW_MS) return told;
    this.#before = now;
    this.#sinceMs = monotonicMs();
    this.#delay.reset();
    return told;
  }
}

function lagOf(nanoseconds: number): number {
  return Math.max(0, nanoseconds / NANOSECONDS - EVENT_LOOP_LOOK_MS / 1_000);
}
