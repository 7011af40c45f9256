// How many exchanges each member works on, and the hand-out of what comes free to those that wait (queue.ts). Capacity is never left
// over while somebody waits that can use it. A member whose response is on its way works on it no more: clients that read slowly, or
// listen for hours, take no capacity from others.

import { nowMs } from "../../runtime/clock.ts";
import type { Member } from "./members.ts";
import { Queue, type QueueLimits, type Waiter } from "./queue.ts";

export interface ConcurrencyLimits extends QueueLimits {
  readonly perMemberMax: number;
}

export class Concurrency {
  readonly #perMemberMax: number;
  readonly #queue: Queue;
  /** By instance: exchanges that are not over. */
  readonly #load = new Map<string, number>();
  /** Of these, by instance: those whose response is on its way. */
  readonly #answering = new Map<string, number>();
  #expiry: NodeJS.Timeout | undefined;
  #handingOut = false;
  /** Has more come free while what came free before was handed out? */
  #more = false;

  constructor({ perMemberMax, ...limits }: ConcurrencyLimits) {
    this.#perMemberMax = perMemberMax;
    this.#queue = new Queue(limits);
  }

  /** Exchanges that are not over, be it the member's work, the client's pace, or an upgraded connection. */
  load({ instance }: Member): number {
    return this.#load.get(instance) ?? 0;
  }

  hasCapacity(member: Member): boolean {
    const working = this.load(member) - (this.#answering.get(member.instance) ?? 0);
    return working < this.#perMemberMax;
  }

  acquire({ instance }: Member): void {
    change(this.#load, instance, 1);
  }

  /** The head of the response has come: the capacity goes to one that waits. */
  answering(member: Member): void {
    change(this.#answering, member.instance, 1);
    this.#handOut(() => this.hasCapacity(member));
  }

  /** The exchange is over. @param answering was its capacity given back with the head? */
  release(member: Member, answering = false): void {
    change(this.#load, member.instance, -1);
    if (answering) change(this.#answering, member.instance, -1);
    else this.#handOut(() => this.hasCapacity(member));
  }

  /** Members have come or gone: all that can go on now do. */
  membersChanged(): void {
    this.#handOut(() => true);
  }

  /** Waits until some member has capacity. @returns false when too many wait already */
  wait(waiter: Waiter): boolean {
    const tooMany = this.#queue.enter(waiter, nowMs());
    if (tooMany === waiter) return false;
    this.#expiry ??= this.#timer();
    tooMany?.giveUp();
    return true;
  }

  /** Waits no longer. */
  leave(waiter: Waiter): void {
    this.#queue.leave(waiter);
    this.#rest();
  }

  /** @param left may there be capacity? What somebody takes, or frees again at once, changes that. */
  #handOut(left: () => boolean): void {
    if (this.#handingOut) this.#more = true;
    if (this.#handingOut || this.#queue.size === 0) return;
    this.#handingOut = true;
    let isLeft = left;
    do {
      this.#more = false;
      for (let next = this.#nextIf(isLeft); next !== undefined; next = this.#nextIf(isLeft)) next.proceed();
      isLeft = () => true;
    } while (this.#more);
    this.#handingOut = false;
    if (this.#queue.pressure) this.#giveUpExpired();
    this.#rest();
  }

  #nextIf(left: () => boolean): Waiter | undefined {
    return left() ? this.#queue.next(nowMs()) : undefined;
  }

  #expire(): void {
    this.#giveUpExpired();
    this.#expiry = this.#timer();
  }

  #timer(): NodeJS.Timeout | undefined {
    const { dueMs } = this.#queue;
    return dueMs === undefined ? undefined : setTimeout(() => this.#expire(), dueMs - nowMs());
  }

  #giveUpExpired(): void {
    for (const waiter of this.#queue.expired(nowMs())) waiter.giveUp();
  }

  /** An empty queue needs no timer, which would hold up the end of the process. */
  #rest(): void {
    if (this.#queue.size > 0) return;
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
  }
}

/** An instance that is gone leaves no entry behind. */
function change(counts: Map<string, number>, instance: string, by: 1 | -1): void {
  const count = (counts.get(instance) ?? 0) + by;
  if (count > 0) counts.set(instance, count);
  else counts.delete(instance);
}
