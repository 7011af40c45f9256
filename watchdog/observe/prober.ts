// The watchdog's probes: one a slot at a time, each of one run of its member. A round takes what has answered in the time that a
// sound member needs, and does not wait for one that hangs: what that one comes to is for a later round.

import { setTimeout as delay } from "node:timers/promises";
import { type ProbeResult, type ProbeTarget, probe } from "../../services/runtime/probe.ts";

/** A sound member answers within this; the round goes on without the others. */
const ROUND_WAITS_MS = 60;
/** A probe that took so much longer than it may was kept waiting by ourselves: it says nothing about the member. */
const OWN_DELAY_MS = 150;
/** Every so many probes of a slot are made on a new connection: one that takes no more of them is found out, suspected or not. */
const NEW_EVERY = 10;

interface ToProbe {
  readonly slot: string;
  readonly run: string;
  readonly target: ProbeTarget;
  readonly suspected: boolean;
}

export interface Probed {
  readonly slot: string;
  readonly run: string;
  readonly result: ProbeResult;
  readonly tookMs: number;
  readonly connection: "new" | "kept";
}

export class Probes {
  readonly #timeoutMs: number;
  readonly #onProbed: (probed: Probed) => void;
  readonly #underWay = new Map<string, Promise<void>>();
  /** By slot. */
  readonly #counts = new Map<string, number>();

  constructor(timeoutMs: number, onProbed: (probed: Probed) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onProbed = onProbed;
  }

  /** Begins a probe, unless one of the slot is under way. Of one that is suspected, whether it takes a new connection is the point. */
  begin({ slot, run, target, suspected }: ToProbe): void {
    if (this.#underWay.has(slot)) return;
    const over = this.#probe({ slot, run, target, suspected }).finally(() => {
      if (this.#underWay.get(slot) === over) this.#underWay.delete(slot);
    });
    this.#underWay.set(slot, over);
  }

  /** Of a member that is no more: nobody waits for it, and the next one can be probed. */
  forget(slot: string): void {
    this.#underWay.delete(slot);
  }

  /** Waits for those under way, but not for long. */
  async settle(): Promise<void> {
    if (this.#underWay.size === 0) return;
    const enough = new AbortController();
    const waited = delay(ROUND_WAITS_MS, undefined, { signal: enough.signal }).catch(() => {});
    await Promise.race([waited, Promise.all(this.#underWay.values())]);
    enough.abort();
  }

  async #probe({ slot, run, target, suspected }: ToProbe): Promise<void> {
    const begunMs = performance.now();
    const count = this.#counts.get(slot) ?? 0;
    this.#counts.set(slot, count + 1);
    const connection = suspected || count % NEW_EVERY === 0 ? "new" : "kept";
    const result = await probe(target, { path: "/readyz", timeoutMs: this.#timeoutMs, connection });
    const tookMs = performance.now() - begunMs;
    const late = tookMs > this.#timeoutMs + OWN_DELAY_MS;
    if (result.kind !== "silent" || !late) this.#onProbed({ slot, run, result, tookMs, connection });
  }
}
