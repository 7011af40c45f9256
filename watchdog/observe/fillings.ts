// The last filling of each slot: its instance, since when, and its generation, which counts the fillings of the slot. By the
// generation a tier tells a new member from the one before at the same address. The state file keeps them.

import type { Found } from "../engines/discovery.ts";
import type { StateFile } from "./state-file.ts";

export class Fillings {
  readonly #file: StateFile;

  constructor(file: StateFile) {
    this.#file = file;
  }

  /** Was there a watchdog before this one? */
  get any(): boolean {
    return this.#file.state.fillings.size > 0;
  }

  has(slot: string): boolean {
    return this.#file.state.fillings.has(slot);
  }

  slots(): readonly string[] {
    return [...this.#file.state.fillings.keys()];
  }

  forget(slot: string): void {
    this.#file.state.fillings.delete(slot);
  }

  /** How many times each slot has been filled. */
  generations(): ReadonlyMap<string, number> {
    return new Map(Array.from(this.#file.state.fillings, ([slot, { generation }]) => [slot, generation]));
  }

  /** Has a member of the slot ever said where it listens, and could be reached there? */
  isKnown(slot: string): boolean {
    return this.#file.state.fillings.get(slot)?.known ?? false;
  }

  /**
   * Counts a new filling, and keeps the ports it told: a busy member's first log line may be rotated away one day.
   * @returns the member, with the ports it told in this run
   */
  note(found: Found): Found {
    const { slot, instance, life, host, ports } = found;
    if (life.kind !== "running") return found;
    const { fillings } = this.#file.state;
    const before = fillings.get(slot);
    const same = before?.instance === instance && before.sinceMs === life.sinceMs;
    // The first of a run wins, also of one whose log's beginning is gone.
    const told = (same ? withLink(before.ports as Found["ports"], ports) : undefined) ?? ports;
    const generation = (before?.generation ?? 0) + (same ? 0 : 1);
    const known = this.isKnown(slot) || (host !== undefined && told !== undefined) ? ({ known: true } as const) : {};
    fillings.set(slot, { instance, sinceMs: life.sinceMs, generation, ...(told && { ports: told }), ...known });
    return told === undefined ? found : { ...found, ports: told };
  }
}

/** Where ports are known before a member speaks, it says later that it takes links there. */
function withLink(known: Found["ports"], told: Found["ports"]): Found["ports"] {
  const isLater = known !== undefined && known.link === undefined && told?.link !== undefined;
  return isLater && told.port === known.port ? { ...known, link: told.link } : known;
}
