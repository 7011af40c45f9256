// How many exchanges each member works on, and the queue of those that wait while every member has as many as it may. The queue is
// first in, first out, and bounded in number and time. A member whose response is on its way works on it no more: clients that read
// slowly, or listen for hours, take no capacity from others.

import type { Member } from "./members.ts";

export interface ConcurrencyLimits {
  readonly perMemberMax: number;
  readonly waitingMax: number;
  readonly waitMsMax: number;
}

/** An exchange that waits for capacity. */
export interface Waiter {
  /** Some member has capacity. */
  proceed(): void;
  /** None had any in time. */
  giveUp(): void;
}

export class Concurrency {
  readonly #limits: ConcurrencyLimits;
  /** By instance: exchanges that are not over. */
  readonly #load = new Map<string, number>();
  /** Of these, by instance: those whose response is on its way. */
  readonly #answering = new Map<string, number>();
  readonly #waiting = new Map<Waiter, NodeJS.Timeout>();

  constructor(limits: ConcurrencyLimits) {
    this.#limits = limits;
  }

  /** Exchanges that are not over, be it the member's work, the client's pace, or an upgraded connection. */
  load({ instance }: Member): number {
    return this.#load.get(instance) ?? 0;
  }

  hasCapacity(member: Member): boolean {
    const working = this.load(member) - (this.#answering.get(member.instance) ?? 0);
    return working < this.#limits.perMemberMax;
  }

  acquire({ instance }: Member): void {
    change(this.#load, instance, 1);
  }

  /** The head of the response has come: the capacity goes to whoever has waited longest. */
  answering({ instance }: Member): void {
    change(this.#answering, instance, 1);
    this.#wakeFirst();
  }

  /** The exchange is over. @param answering was its capacity given back with the head? */
  release({ instance }: Member, answering = false): void {
    change(this.#load, instance, -1);
    if (answering) change(this.#answering, instance, -1);
    else this.#wakeFirst();
  }

  /** Waits until some member has capacity. @returns false when too many wait already */
  wait(waiter: Waiter): boolean {
    if (this.#waiting.size >= this.#limits.waitingMax) return false;
    const limit = setTimeout(() => {
      this.#waiting.delete(waiter);
      waiter.giveUp();
    }, this.#limits.waitMsMax);
    this.#waiting.set(waiter, limit);
    return true;
  }

  #wakeFirst(): void {
    for (const [first, limit] of this.#waiting) {
      clearTimeout(limit);
      this.#waiting.delete(first);
      first.proceed();
      return;
    }
  }
}

/** An instance that is gone leaves no entry behind. */
function change(counts: Map<string, number>, instance: string, by: 1 | -1): void {
  const count = (counts.get(instance) ?? 0) + by;
  if (count > 0) counts.set(instance, count);
  else counts.delete(instance);
}
