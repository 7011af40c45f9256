// The life signs of each slot's member, in its present run: since when we know it, what its probes say, and since when it is in
// trouble. A restart is a new run of the same instance; what it said and how it answered before is of its past.

import { nowMs } from "../../services/runtime/clock.ts";
import type { Settings } from "../../services/runtime/config.ts";
import type { ProbeResult } from "../../services/runtime/probe.ts";
import type { Found } from "../engines/engine.ts";
import { type Probed, Probes } from "./prober.ts";
import { beat, noPulse, type Pulse, suspect } from "./pulse.ts";

interface Signs {
  /** The run of the member that fills the slot, and when this watchdog first saw it. Undefined: it never saw one. */
  seen: { readonly run: string; readonly instance: string; readonly sinceMs: number } | undefined;
  pulse: Pulse;
  /** The latest probe of that run. */
  probed: ProbeResult | undefined;
  /** The first sign of the trouble it is in. */
  troubleSinceMs: number | undefined;
}

/** Two refusals closer together are one sign: what they are a sign of, a death perhaps, the engine is about to tell. */
const SAME_MISS_MS = 250;

export class Vitals {
  readonly #settings: Settings;
  readonly #probes: Probes;
  readonly #onNews: () => void;
  readonly #signs = new Map<string, Signs>();

  /** @param onNews called when a probe that no round waited for has something to say */
  constructor(settings: Settings, onNews: () => void) {
    this.#settings = settings;
    this.#onNews = onNews;
    this.#probes = new Probes(settings.PROBE_TIMEOUT_MS, (probed) => this.#noteProbe(probed));
  }

  of(slot: string): Readonly<Signs> {
    return this.#of(slot);
  }

  /** Takes in what the engine lists, and probes whoever can be; those that answer in good time have answered then. */
  async take(found: readonly Found[]): Promise<void> {
    const there = new Set(found.map(({ slot }) => slot));
    for (const slot of this.#signs.keys()) if (!there.has(slot)) this.#silence(slot);
    for (const member of found) this.#takeOne(member);
    // Whoever is dead needs no probe to be replaced, and nobody's answer to be waited for.
    if (!found.some(({ life }) => life.kind === "exited")) await this.#probes.settle();
    for (const signs of this.#signs.values()) {
      if (signs.probed?.kind === "passed" || signs.probed?.kind === "refused") signs.troubleSinceMs = undefined;
      else if (signs.seen !== undefined) signs.troubleSinceMs ??= nowMs();
    }
  }

  /** A tier cannot reach it. */
  suspect(slot: string): void {
    const signs = this.#of(slot);
    signs.pulse = suspect(signs.pulse);
  }

  died(instance: string): void {
    for (const signs of this.#signs.values()) {
      if (signs.seen?.instance === instance) signs.troubleSinceMs ??= nowMs();
    }
  }

  /** A successor is on its way. */
  startAnew(slot: string): void {
    const signs = this.#of(slot);
    signs.pulse = noPulse;
    signs.probed = undefined;
  }

  #takeOne(found: Found): void {
    const { slot, life, host, ports } = found;
    const signs = this.#of(slot);
    this.#noteRun(signs, found);
    if (life.kind !== "running" || host === undefined || ports === undefined) {
      this.#silence(slot);
    } else {
      const target = { host, port: ports.port ?? ports.adminPort, ...ports };
      this.#probes.begin({ slot, run: signs.seen?.run ?? "", target, suspected: signs.pulse.suspected });
    }
  }

  #noteRun(signs: Signs, { slot, instance, life }: Found): void {
    const run = `${instance} ${life.kind === "running" ? life.sinceMs : ""}`;
    if (signs.seen?.run === run || (signs.seen?.instance === instance && life.kind !== "running")) return;
    this.#probes.forget(slot);
    signs.seen = { run, instance, sinceMs: nowMs() };
    signs.probed = undefined;
    if (life.kind === "running") signs.troubleSinceMs = undefined;
    signs.pulse = { ...noPulse, servedMs: signs.pulse.servedMs };
  }

  /** Who does not run, or has not said where, cannot be asked. */
  #silence(slot: string): void {
    const signs = this.#of(slot);
    this.#probes.forget(slot);
    signs.probed = undefined;
    signs.pulse = beat(signs.pulse, undefined, nowMs());
  }

  #noteProbe({ slot, run, result, tookMs, connection }: Probed): void {
    const signs = this.#of(slot);
    // Of a run that is over.
    if (signs.seen?.run !== run) return;
    if (isSameMiss(signs.pulse, result)) return;
    const isNews = signs.probed?.kind !== result.kind;
    signs.probed = result;
    const { suspected } = signs.pulse;
    signs.pulse = beat(signs.pulse, result, nowMs());
    // That it answers on a connection of before says nothing about a new one.
    if (suspected && connection === "kept") signs.pulse = suspect(signs.pulse);
    const { PROBE_TIMEOUT_MS, PROBE_FAILURES } = this.#settings;
    // It hangs, by all appearances: ask again at once. One that refuses, or is known to hang, has time until the next round.
    const hangs = result.kind === "silent" && tookMs >= PROBE_TIMEOUT_MS && signs.pulse.missed <= PROBE_FAILURES;
    if (hangs || (isNews && result.kind === "passed")) this.#onNews();
  }

  #of(slot: string): Signs {
    const known = this.#signs.get(slot);
    if (known !== undefined) return known;
    const made: Signs = { seen: undefined, pulse: noPulse, probed: undefined, troubleSinceMs: undefined };
    this.#signs.set(slot, made);
    return made;
  }
}

function isSameMiss({ missed, missedSinceMs = 0 }: Pulse, { kind }: ProbeResult): boolean {
  return kind === "silent" && missed > 0 && nowMs() - missedSinceMs < SAME_MISS_MS;
}
