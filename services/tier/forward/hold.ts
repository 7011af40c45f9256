// The requests that wait because nobody serves and somebody is made anew: `docker compose up` replaces the last server, say, and the
// next one is there in a second. The registry says so, and for how long they may wait. Bodies are read no further than can be kept; how
// many requests wait, with how many bytes, is bounded. Only the tier that clients reach holds: behind it nobody waits twice.

import type { RegistryMember } from "../../registry/document.ts";
import { nowMs } from "../../runtime/clock.ts";
import type { Downstream } from "./send.ts";

export interface Held {
  /** One that is not replayable is gone once it has been tried. */
  readonly exchange: Pick<Downstream, "keptBytes" | "replayable">;
  /** It tries again, with all its attempts. */
  proceed(): void;
  /** It has waited long enough. */
  giveUp(): void;
}

/** The tiers behind us learn a little later than we do that somebody serves again. */
const CATCH_UP_MS = 3_000;
/** Who took a request so short a while ago has only just gone: the registry may yet say why. */
const NEWS_WITHIN_MS = 3_000;
/** The one that has waited longest looks so often whether it can go on. */
const TRY_EVERY_MS = 50;
/** For each that may be held; most have no body. */
const BYTES_EACH = 16 * 1024;

interface Place {
  /** When it was held first. */
  readonly sinceMs: number;
  readonly bytes: number;
}

export class Hold {
  readonly #heldMax: number;
  /** The oldest first. */
  readonly #held = new Map<Held, Place>();
  #bytes = 0;
  /** How long one may wait, in ms, and until when that is offered. */
  #offer = { waitMs: 0, untilMs: Number.NEGATIVE_INFINITY };
  /** What the registry says of all servers: is one in traffic, is one to be? */
  #servers: "serve" | "away" | "none" = "none";
  #answeredMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #total = 0;
  #over = false;

  constructor(heldMax: number) {
    this.#heldMax = heldMax;
  }

  get size(): number {
    return this.#held.size;
  }

  /** How many have been held. */
  get total(): number {
    return this.#total;
  }

  /** Is it known that an attempt finds nobody? */
  get nobodyServes(): boolean {
    return this.#held.size > 0 || this.#servers === "away";
  }

  /** @param members the servers that it is about, and the tiers in front of them */
  adopt(members: readonly RegistryMember[]): void {
    const servers = members.filter(({ role }) => role !== "proxy");
    this.#servers = servers.length === 0 ? "none" : servers.some(isReachable) ? "serve" : "away";
    const waitMs = Math.max(0, ...members.map(({ recreating = 0 }) => recreating));
    if (waitMs > 0) this.#offer = { waitMs, untilMs: Number.POSITIVE_INFINITY };
    else if (this.#offer.untilMs === Number.POSITIVE_INFINITY)
      this.#offer = { ...this.#offer, untilMs: nowMs() + CATCH_UP_MS };
    this.#tryOne();
  }

  /** @param sinceMs when it was held first. @returns false: there is nothing to wait for, or it has waited long enough, or too many do */
  enter(held: Held, sinceMs: number): boolean {
    const now = nowMs();
    const bytes = held.exchange.keptBytes ?? 0;
    if (this.#over || now >= sinceMs + this.#waitMs(now) || this.#isFull(bytes)) return false;
    if (sinceMs === now) this.#total += 1;
    this.#held.set(held, { sinceMs, bytes });
    this.#bytes += bytes;
    this.#timer ??= setInterval(() => this.#look(), TRY_EVERY_MS);
    return true;
  }

  leave(held: Held): void {
    this.#remove(held);
    this.#rest();
  }

  /** A server has answered somebody: all go on. */
  answered(): void {
    this.#answeredMs = nowMs();
    if (this.#held.size > 0) this.#release([...this.#held.keys()], (held) => held.proceed());
  }

  /** Nobody waits any longer. */
  end(): void {
    this.#over = true;
    this.#release([...this.#held.keys()], (held) => held.giveUp());
  }

  #look(): void {
    const now = nowMs();
    const waitMs = this.#waitMs(now);
    const late = [...this.#held].filter(([, { sinceMs }]) => now >= sinceMs + waitMs).map(([held]) => held);
    this.#release(late, (held) => held.giveUp());
    this.#tryOne();
  }

  #waitMs(now: number): number {
    if (now < this.#offer.untilMs) return this.#offer.waitMs;
    return this.#servers !== "none" && now < this.#answeredMs + NEWS_WITHIN_MS ? NEWS_WITHIN_MS : 0;
  }

  #isFull(bytes: number): boolean {
    return this.#held.size >= this.#heldMax || this.#bytes + bytes > this.#heldMax * BYTES_EACH;
  }

  /** The oldest that loses nothing by it; any, where the registry knows of a server. */
  #tryOne(): void {
    for (const held of this.#held.keys()) {
      if (!held.exchange.replayable) continue;
      this.#release([held], (first) => first.proceed());
      return;
    }
    if (this.#servers === "serve") this.#release([...this.#held.keys()].slice(0, 1), (first) => first.proceed());
  }

  #release(some: readonly Held[], then: (held: Held) => void): void {
    for (const held of some) this.#remove(held);
    this.#rest();
    for (const held of some) then(held);
  }

  #remove(held: Held): void {
    this.#bytes -= this.#held.get(held)?.bytes ?? 0;
    this.#held.delete(held);
  }

  #rest(): void {
    if (this.#held.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function isReachable({ state }: RegistryMember): boolean {
  return state === "serving" || state === "draining";
}
