// Looks at the tiers' metrics while somebody looks at the page, and only then: every two seconds, all tiers together. It keeps what the
// last ten seconds' looks said, and makes figures of it.

import { monotonicMs } from "../../services/runtime/clock.ts";
import { type TrafficShown, trafficOf } from "./figures.ts";
import { readingOf } from "./reading.ts";
import { type ScrapePlace, scrape } from "./scrape.ts";
import { type Looks, passed, recent, withLook } from "./window.ts";

export interface WatchedTier extends ScrapePlace {
  readonly id: string;
  readonly role: string;
  readonly generation: number;
}

const EVERY_MS = 2_000;
/** The second look comes sooner, so that the first figures do. */
const SECOND_MS = 700;
/** So long after the page was last asked for nobody looks any more. One without script asks every few seconds. */
const WANTED_MS = 15_000;
/** A topology has one balancer and some proxies. */
const TIERS_MAX = 32;

export class TrafficWatch {
  readonly #tiers: () => readonly WatchedTier[];
  /** By tier. */
  #looks: ReadonlyMap<string, { readonly tier: WatchedTier; readonly looks: Looks }> = new Map();
  /** What the looks say together. */
  #traffic: TrafficShown | undefined;
  #wantedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  /** @param tiers those there are now, asked for at each look */
  constructor(tiers: () => readonly WatchedTier[]) {
    this.#tiers = tiers;
  }

  /** Somebody looks: go on for a while. @returns what is known; undefined: nothing yet */
  wanted(): TrafficShown | undefined {
    this.#wantedMs = monotonicMs();
    if (this.#timer === undefined) this.#soon(0);
    return this.#traffic;
  }

  #soon(ms: number): void {
    this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  async #look(): Promise<void> {
    if (monotonicMs() - this.#wantedMs > WANTED_MS) {
      this.#timer = undefined;
      this.#looks = new Map();
      this.#traffic = undefined;
      return;
    }
    const isFirst = this.#looks.size === 0;
    const seen = await Promise.all(
      this.#tiers()
        .slice(0, TIERS_MAX)
        .map((tier) => this.#lookAt(tier)),
    );
    this.#looks = new Map(seen.filter(({ looks }) => looks.length > 0).map((one) => [one.tier.id, one]));
    const known = seen.flatMap(({ tier: { id, role }, looks }) => {
      const what = passed(looks);
      return what === undefined ? [] : [{ id, role, passed: what }];
    });
    this.#traffic = known.length === 0 ? undefined : trafficOf(known);
    this.#soon(isFirst ? SECOND_MS : EVERY_MS);
  }

  async #lookAt(tier: WatchedTier): Promise<{ readonly tier: WatchedTier; readonly looks: Looks }> {
    const before = this.#looks.get(tier.id)?.looks ?? [];
    const text = await scrape(tier);
    const atMs = monotonicMs();
    if (text === undefined) return { tier, looks: recent(before, atMs) };
    return { tier, looks: withLook(before, { atMs, generation: tier.generation, reading: readingOf(text) }) };
  }
}
