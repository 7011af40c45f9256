// How many exchanges each member works on, and the hand-out of what comes free to those that wait (queue.ts). A proxy works on as many as
// its servers together, or it would be full while they are not. Capacity is never left over while somebody waits that can use it. A member
// whose response is on its way works on it no more: clients that read slowly, or listen for hours, take no capacity from others.

import { nowMs } from "../../runtime/clock.ts";
import type { Member } from "./members.ts";
import { Queue, type QueueLimits, type Waiter } from "./queue.ts";

export interface ConcurrencyLimits extends QueueLimits {
  /** Exchanges that one server works on. */
  readonly perMemberMax: number;
}

export class Concurrency {
  readonly #perMemberMax: number;
  readonly #queue: Queue;
  #expiry: NodeJS.Timeout | undefined;
  #handingOut = false;
  /** Under pressure nobody waits for as long. */
  #pressed = false;
  /** Has more come free while what came free before was handed out? */
  #more = false;

  constructor({ perMemberMax, ...limits }: ConcurrencyLimits) {
    this.#perMemberMax = perMemberMax;
    this.#queue = new Queue(limits);
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Exchanges that are not over, be it the member's work, the client's pace, or an upgraded connection. */
  load({ load }: Member): number {
    return load.open;
  }

  hasCapacity({ load, servers }: Member): boolean {
    return load.open - load.answering < this.#perMemberMax * servers;
  }

  acquire({ load }: Member): void {
    load.open += 1;
  }

  /** The head of the response has come: the capacity goes to one that waits. */
  answering(member: Member): void {
    member.load.answering += 1;
    this.#handOut(member);
  }

  /** The exchange is over. @param answering was its capacity given back with the head? */
  release(member: Member, answering = false): void {
    member.load.open -= 1;
    if (answering) member.load.answering -= 1;
    else this.#handOut(member);
  }

  /** Members have come or gone: all that can go on now do. */
  membersChanged(): void {
    this.#handOut();
  }

  /** Waits until some member has capacity. @returns false when too many wait already */
  wait(waiter: Waiter): boolean {
    const tooMany = this.#queue.enter(waiter, nowMs());
    if (tooMany === waiter) return false;
    this.#expiry ??= this.#timer();
    tooMany?.giveUp();
    this.#heedPressure();
    return true;
  }

  /** Waits no longer. */
  leave(waiter: Waiter): void {
    this.#queue.leave(waiter);
    this.#rest();
  }

  /** @param by whose capacity it is: when somebody has taken that, nobody else is asked; undefined: anybody's */
  #handOut(by?: Member): void {
    if (this.#handingOut) this.#more = true;
    if (this.#handingOut || this.#queue.size === 0) return;
    this.#handingOut = true;
    let at = by;
    do {
      this.#more = false;
      for (let next = this.#nextAt(at); next !== undefined; next = this.#nextAt(at)) next.proceed();
      at = undefined;
    } while (this.#more);
    this.#handingOut = false;
    this.#heedPressure();
    this.#rest();
  }

  #nextAt(member: Member | undefined): Waiter | undefined {
    return member === undefined || this.hasCapacity(member) ? this.#queue.next(nowMs()) : undefined;
  }

  #heedPressure(): void {
    const { pressure } = this.#queue;
    if (pressure) this.#giveUpExpired();
    if (pressure === this.#pressed) return;
    this.#pressed = pressure;
    clearTimeout(this.#expiry);
    this.#expiry = this.#timer();
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
