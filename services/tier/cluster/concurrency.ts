// How many requests each member is working on, and who waits for a place when every one has as many as it may. First come,
// first served; a bounded number waits, for a bounded time. A member whose answer is on its way works on it no more: clients
// that read slowly, or listen for hours, keep no place from others.

import type { Member } from "./members.ts";

export interface PlaceLimits {
  readonly perMemberMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

export class Places {
  readonly #limits: PlaceLimits;
  /** By instance. */
  readonly #taken = new Map<string, number>();
  /** Of these, by instance: those whose answer is on its way. */
  readonly #delivering = new Map<string, number>();
  readonly #waiting = new Set<(freed: boolean) => void>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Requests that are not over, be it the member's work or the client's pace. */
  taken({ instance }: Member): number {
    return this.#taken.get(instance) ?? 0;
  }

  hasPlace(member: Member): boolean {
    const working = this.taken(member) - (this.#delivering.get(member.instance) ?? 0);
    return working < this.#limits.perMemberMax;
  }

  take({ instance }: Member): void {
    change(this.#taken, instance, 1);
  }

  /** The head of the answer has come: gives the place to whoever has waited longest. */
  deliver({ instance }: Member): void {
    change(this.#delivering, instance, 1);
    this.#wakeFirst();
  }

  /** The request is over. @param delivered was its place given back with the head? */
  free({ instance }: Member, delivered = false): void {
    change(this.#taken, instance, -1);
    if (delivered) change(this.#delivering, instance, -1);
    else this.#wakeFirst();
  }

  /** Waits until some member has a place. @returns false when there are too many waiting, or none came free in time */
  async wait(): Promise<boolean> {
    if (this.#waiting.size >= this.#limits.waitingMax) return false;
    return new Promise((resolve) => {
      const done = (freed: boolean) => {
        clearTimeout(limit);
        this.#waiting.delete(done);
        resolve(freed);
      };
      const limit = setTimeout(() => done(false), this.#limits.waitMsMax);
      this.#waiting.add(done);
    });
  }

  #wakeFirst(): void {
    const [first] = this.#waiting;
    first?.(true);
  }
}

/** An instance that is gone leaves no entry behind. */
function change(counts: Map<string, number>, instance: string, by: 1 | -1): void {
  const count = (counts.get(instance) ?? 0) + by;
  if (count > 0) counts.set(instance, count);
  else counts.delete(instance);
}
