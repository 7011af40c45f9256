// The heals of each slot so far: its restart record, which the state file keeps, and the ports that turned out to be taken, which
// the next watchdog finds out again. rules/restart-policy.ts decides what a record means.

import { nowMs } from "../../services/runtime/clock.ts";
import { healed, type RestartRecord, recalled, served, unblemished } from "../rules/restart-policy.ts";
import type { Liveness } from "./liveness.ts";
import type { StateFile } from "./state-file.ts";

export class HealRecords {
  readonly #file: StateFile;
  /** By slot: heals in a row that met a taken port. */
  readonly #portsTaken = new Map<string, number>();

  constructor(file: StateFile) {
    this.#file = file;
  }

  /** Takes over what an earlier watchdog has noted. */
  open(): void {
    const { restarts } = this.#file.state;
    for (const [slot, record] of restarts) restarts.set(slot, recalled(record, nowMs()));
  }

  /** A heal begins, because a member failed. @param servedMs how long that was in traffic */
  begun(slot: string, servedMs: number): void {
    const { restarts } = this.#file.state;
    const before = restarts.get(slot) ?? unblemished;
    restarts.set(slot, healed(before, { nowMs: nowMs(), servedMs, random: Math.random() }));
  }

  restartOf(slot: string, { servingSinceMs, servedMs }: Liveness): RestartRecord {
    const { restarts } = this.#file.state;
    const record = restarts.get(slot);
    if (record === undefined) return unblemished;
    const now = servingSinceMs === undefined ? record : served(record, servedMs);
    if (now === unblemished) restarts.delete(slot);
    return now;
  }

  /** A heal came to nothing because a port is somebody else's. */
  portTaken(slot: string): void {
    this.#portsTaken.set(slot, this.portsTakenOf(slot) + 1);
  }

  portsTakenOf(slot: string): number {
    return this.#portsTaken.get(slot) ?? 0;
  }

  /** The slot's member passes its probes. */
  serves(slot: string): void {
    this.#portsTaken.delete(slot);
  }
}
