// The operator's orders: hold a slot or pause a service, so that the watchdog keeps its hands off it, weigh a slot otherwise than its
// label says, or heal it, so that the next round puts a new member into it. All but an order to heal are remembered across restarts of
// the watchdog.

import { nowMs } from "../../services/runtime/clock.ts";
import type { StateFile } from "./state-file.ts";

export class OperatorOrders {
  readonly #file: StateFile;
  readonly #ordered = new Set<string>();
  /** By slot, when its last hold ended. */
  readonly #releasedMs = new Map<string, number>();
  /** By service, when its last pause ended. */
  readonly #resumedMs = new Map<string, number>();

  constructor(file: StateFile) {
    this.#file = file;
  }

  /** The watchdog keeps its hands off the slot, until `release`. */
  hold(slot: string): void {
    const { holds } = this.#file.state;
    if (!holds.has(slot)) holds.set(slot, { sinceMs: nowMs() });
    this.#ordered.delete(slot);
  }

  release(slot: string): void {
    if (this.holdOf(slot) !== undefined) this.#releasedMs.set(slot, nowMs());
    this.#file.state.holds.delete(slot);
  }

  holdOf(slot: string): { readonly sinceMs: number } | undefined {
    return this.#file.state.holds.get(slot);
  }

  /** The watchdog neither heals nor rolls the service's members, until `resume`. */
  pause(service: string): void {
    const { pauses } = this.#file.state;
    if (!pauses.has(service)) pauses.set(service, { sinceMs: nowMs() });
  }

  resume(service: string): void {
    if (this.pauseOf(service) !== undefined) this.#resumedMs.set(service, nowMs());
    this.#file.state.pauses.delete(service);
  }

  pauseOf(service: string): { readonly sinceMs: number } | undefined {
    return this.#file.state.pauses.get(service);
  }

  /** When the last hold of the slot, or pause of its service, ended; 0: there was none while this watchdog ran. */
  releasedMs(slot: string, service: string): number {
    return Math.max(this.#releasedMs.get(slot) ?? 0, this.#resumedMs.get(service) ?? 0);
  }

  /** @param weight undefined: what its label says */
  weigh(slot: string, weight: number | undefined): void {
    const { weights } = this.#file.state;
    if (weight === undefined) weights.delete(slot);
    else weights.set(slot, weight);
  }

  /** Undefined: what its label says. */
  weightOf(slot: string): number | undefined {
    return this.#file.state.weights.get(slot);
  }

  /** There is no such slot any more: one that is called so later begins anew. */
  forget(slot: string): void {
    this.release(slot);
    this.weigh(slot, undefined);
  }

  /** The next round puts a new member into the slot, whatever its past. */
  heal(slot: string): void {
    this.#ordered.add(slot);
  }

  ordersHeal(slot: string): boolean {
    return this.#ordered.has(slot);
  }

  /** A heal of the slot has begun: what was ordered is done. */
  carriedOut(slot: string): void {
    this.#ordered.delete(slot);
  }
}
