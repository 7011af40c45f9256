// The stop intents, by instance, as the engine's events and a member's run make them; the state file keeps them.
// rules/stop-intent.ts decides what an event means.

import { nowMs } from "../../services/runtime/clock.ts";
import type { Log } from "../../services/runtime/log.ts";
import type { EngineEvent, Found } from "../engines/discovery.ts";
import { intentAfter, intentOfRunning, type StopIntent } from "../rules/stop-intent.ts";
import type { StateFile } from "./state-file.ts";

export class StopIntents {
  readonly #file: StateFile;
  readonly #log: Log;

  constructor(file: StateFile, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** Takes over what an earlier watchdog has noted: a clock that was set back since must not make an intent hold for longer. */
  open(): void {
    const { intents } = this.#file.state;
    for (const [instance, intent] of intents)
      intents.set(instance, { ...intent, atMs: Math.min(intent.atMs, nowMs()) });
  }

  event(event: Extract<EngineEvent, { instance: string }>): void {
    const { intents } = this.#file.state;
    const before = intents.get(event.instance);
    const intent = intentAfter(before, event, nowMs() - (event.agoMs ?? 0));
    if (intent === before) return;
    if (intent === undefined) intents.delete(event.instance);
    else intents.set(event.instance, intent);
    const [was, now] = [before?.kind ?? "none", intent?.kind ?? "none"];
    // A member may get signals for as long as it lives, as one that reloads by them.
    if (was !== now) this.#log("stop-intent", { instance: event.instance, was, now });
  }

  /** The watchdog itself was told to stop: no other watchdog is to bring it back for that. @param self its own instance */
  stopped(self: string): void {
    // By the engine's clock, which is this host's.
    this.#file.state.intents.set(self, { kind: "stopped", atMs: nowMs(), engineMs: Date.now() });
  }

  /** The stop intent about the member that fills the slot, or about the last one that did. */
  of(slot: string, found: Found | undefined): StopIntent | undefined {
    const { intents, fillings } = this.#file.state;
    // One that somebody has made, and has yet to start, is to take the place of the last one: what was meant for that one counts.
    const isCurrent =
      found !== undefined && found.life.kind !== "previous" && (found.life.kind !== "created" || found.ours);
    const instance = isCurrent ? found.instance : fillings.get(slot)?.instance;
    if (instance === undefined) return undefined;
    const intent = intents.get(instance);
    if (found?.life.kind !== "running" || intent === undefined) return intent;
    const run = { sinceMs: found.life.sinceMs, stopTimeoutMs: found.stopTimeoutMs };
    const left = intentOfRunning(intent, run, nowMs());
    if (left === undefined) intents.delete(instance);
    return left;
  }

  /** Since when the last member of the slot is meant to stop, by our own clock; 0: it is not. */
  sinceMs(slot: string): number {
    const { intents, fillings } = this.#file.state;
    const intent = intents.get(fillings.get(slot)?.instance ?? "");
    return intent?.kind === "stopped" || intent?.toStop ? intent.atMs : 0;
  }

  /** An intent matters only as long as its member is there, or was the last to have filled its slot. */
  forget(found: readonly Found[]): void {
    const { intents, fillings } = this.#file.state;
    const last = [...fillings.values()].map(({ instance }) => instance);
    const known = new Set([...last, ...found.flatMap(({ instance, succeeds }) => [instance, succeeds])]);
    for (const instance of intents.keys()) if (!known.has(instance)) intents.delete(instance);
  }
}
