// What became of the orders that take their time: heals, rolls and scales. It looks while one of them is under way, and keeps the latest,
// in memory: another watchdog's orders show in the state and the incidents alone.

import type { LongOrder, LongOrderKind, OrderEvent, OrderStatus } from "./contract/documents.ts";

const ORDERS_MAX = 100;
const EVENTS_MAX = 200;
const LOOK_EVERY_MS = 250;

/** How an order goes, as the watchdog's own parts say. */
export interface OrderProgress {
  readonly status: OrderStatus;
  readonly text: string;
  /** Of a heal. */
  readonly incident?: number | undefined;
}

/** Asked over and over, until it has ended. */
type LookAtOrder = () => OrderProgress;

export interface OrderBookParts {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number;
  /** Begins the id of each order: no other watchdog's are called so. */
  readonly run: string;
}

export interface NewOrder {
  readonly kind: LongOrderKind;
  readonly subject: string;
  readonly look: LookAtOrder;
}

interface Kept {
  order: LongOrder;
  readonly look: LookAtOrder;
  readonly listeners: Set<(order: LongOrder) => void>;
}

export class OrderBook {
  readonly #parts: OrderBookParts;
  readonly #kept = new Map<string, Kept>();
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: OrderBookParts) {
    this.#parts = parts;
  }

  /** One that was just taken. */
  add({ kind, subject, look }: NewOrder): LongOrder {
    this.#count += 1;
    const id = `${this.#parts.run}-${this.#count}`;
    const at = this.#now();
    const accepted: OrderEvent = { number: 1, at, status: "accepted", text: "it was taken" };
    const about = { id, kind, subject, status: "accepted", orderedAt: at, endedAt: null } as const;
    const kept: Kept = { order: { ...about, incident: null, events: [accepted] }, look, listeners: new Set() };
    this.#kept.set(id, kept);
    this.#forgetOldest();
    this.#timer ??= setInterval(() => this.look(), LOOK_EVERY_MS).unref();
    return kept.order;
  }

  get(id: string): LongOrder | undefined {
    this.look();
    return this.#kept.get(id)?.order;
  }

  /** The newest first. */
  get all(): LongOrder[] {
    this.look();
    return [...this.#kept.values()].map(({ order }) => order).reverse();
  }

  /** Calls with the order at each change, until it is over. @returns how not to be called any more */
  follow(id: string, onChange: (order: LongOrder) => void): () => void {
    const listeners = this.#kept.get(id)?.listeners;
    listeners?.add(onChange);
    return () => void listeners?.delete(onChange);
  }

  /** Sees what has become of each, and lets go of what has ended: a later order of the same kind is another one. */
  look(): void {
    const open = [...this.#kept.values()].filter(({ order }) => order.endedAt === null);
    for (const kept of open) this.#lookAt(kept);
    if (open.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #lookAt(kept: Kept): void {
    const { status, text, incident = null } = kept.look();
    const { order } = kept;
    const last = order.events.at(-1);
    if (last?.status === status && (last.text === text || status === "accepted")) return;
    const at = this.#now();
    const event: OrderEvent = { number: (last?.number ?? 0) + 1, at, status, text };
    const endedAt = status === "accepted" || status === "under-way" ? null : at;
    kept.order = { ...order, status, incident, endedAt, events: [...order.events, event].slice(-EVENTS_MAX) };
    for (const listener of kept.listeners) listener(kept.order);
  }

  #forgetOldest(): void {
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > ORDERS_MAX && oldest !== undefined) this.#kept.delete(oldest);
  }

  #now(): string {
    return new Date(this.#parts.nowMs()).toISOString();
  }
}
