// The slots as the watchdog shows them in /api/state, looked at every 50 ms: which serve now, and when a slot came to serve
// again. Reads only; a watchdog that does not answer leaves nothing to choose from.

import { setTimeout as delay } from "node:timers/promises";
import { exitCode, StartupFailure } from "../../services/runtime/exit.ts";
import { type ApiAnswer, ApiClient } from "../api/client.ts";
import type { SlotRow, StateDocument } from "../api/schema.ts";

const LOOK_EVERY_MS = 50;
const ANSWERS_WITHIN_MS = 2_000;
/** What was seen longer ago than this is no ground for a fault. */
const STALE_AFTER_MS = 1_000;

/** Called after each look. @param askedMs when it was asked; what happened since may not be in it */
type Onlooker = (rows: ReadonlyMap<string, SlotRow>, askedMs: number) => void;

interface Awaited {
  readonly is: (row: SlotRow) => boolean;
  readonly limitMs: number;
  readonly stop: AbortSignal;
}

export class Slots {
  readonly #watchdog: URL;
  readonly #api: ApiClient;
  readonly #stop = new AbortController();
  readonly #onlookers = new Set<Onlooker>();
  #rows: ReadonlyMap<string, SlotRow> = new Map();
  #seenMs = Number.NEGATIVE_INFINITY;

  constructor(watchdog: URL) {
    this.#watchdog = watchdog;
    this.#api = new ApiClient({ watchdog, timeoutMs: ANSWERS_WITHIN_MS });
  }

  /** Looks once, and from then on until `close`. @throws StartupFailure when there is no watchdog at the address */
  async open(): Promise<void> {
    const answer = await this.#look();
    if (answer.kind !== "read") {
      const { href } = new URL("/api/state", this.#watchdog);
      const fix = "start the system first, or say with --watchdog where it is";
      throw new StartupFailure(exitCode.failed, `cannot read ${href} (${whyNot(answer)}): ${fix}`);
    }
    void this.#follow();
  }

  close(): void {
    this.#stop.abort();
  }

  /** As of the last look, in the watchdog's order; none when that was too long ago. */
  get rows(): readonly SlotRow[] {
    return performance.now() - this.#seenMs > STALE_AFTER_MS ? [] : [...this.#rows.values()];
  }

  row(slot: string): SlotRow | undefined {
    return this.#rows.get(slot);
  }

  /**
   * Waits until a slot is shown so, in an answer asked for from now on.
   * @returns the time of that answer on performance's clock; undefined: not within `limitMs`, or `stop` came first
   */
  async shows(slot: string, { is, limitMs, stop }: Awaited): Promise<number | undefined> {
    const fromMs = performance.now();
    const seen = new AbortController();
    let atMs: number | undefined;
    const onlooker: Onlooker = (rows, askedMs) => {
      const row = rows.get(slot);
      if (askedMs < fromMs || row === undefined || !is(row)) return;
      atMs = performance.now();
      seen.abort();
    };
    const onStop = () => seen.abort();
    this.#onlookers.add(onlooker);
    stop.addEventListener("abort", onStop);
    if (!stop.aborted) await delay(limitMs, undefined, { signal: seen.signal }).catch(() => {});
    stop.removeEventListener("abort", onStop);
    this.#onlookers.delete(onlooker);
    return atMs;
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await delay(LOOK_EVERY_MS, undefined, { signal: this.#stop.signal }).catch(() => {});
      // A watchdog that is restarting, say, does not answer: the next look tells.
      await this.#look();
    }
  }

  async #look(): Promise<ApiAnswer<StateDocument>> {
    const askedMs = performance.now();
    const answer = await this.#api.state();
    if (answer.kind !== "read") return answer;
    this.#rows = new Map(answer.document.slots.map((row) => [row.slot, row]));
    this.#seenMs = askedMs;
    for (const onlooker of [...this.#onlookers]) onlooker(this.#rows, askedMs);
    return answer;
  }
}

function whyNot(answer: Exclude<ApiAnswer<StateDocument>, { kind: "read" }>): string {
  return answer.kind === "foreign" ? "it does not answer as a watchdog" : answer.reason;
}
