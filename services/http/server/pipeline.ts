// Pure. The order of things on one client's connection (RFC 9112 section 9.3.2): answers leave in the order of their requests, and
// a request that may change something is carried out alone. A few are carried out at a time; what is behind them is not even read.

import type { ServerExchange } from "./server-exchange.ts";

/** RFC 9110 section 9.2.1: these may be carried out beside each other. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

export class Pipeline {
  readonly #max: number;
  /** Those whose answers have not all left, in the order in which they came. */
  readonly #open: ServerExchange[] = [];
  /** The last of them, when it may not begin yet. */
  #waiting: ServerExchange | undefined;

  constructor(max: number) {
    this.#max = max;
  }

  get empty(): boolean {
    return this.#open.length === 0;
  }

  get first(): ServerExchange | undefined {
    return this.#open[0];
  }

  /** May another request be read? None behind one that may change the protocol. */
  get takesMore(): boolean {
    if (this.#open.length === 0) return true;
    if (this.#waiting !== undefined || this.#open.length >= this.#max) return false;
    return this.#open.at(-1)?.request.upgrade === false;
  }

  add(exchange: ServerExchange): void {
    this.#open.push(exchange);
    this.#waiting = exchange;
  }

  isWaiting(exchange: ServerExchange): boolean {
    return exchange === this.#waiting;
  }

  /** May the last one be carried out by now? */
  get ready(): boolean {
    return this.#waiting !== undefined && (this.#open.length === 1 || this.#open.every(isSafe));
  }

  /** @returns the last one as soon as it may be carried out, once */
  takeReady(): ServerExchange | undefined {
    const ready = this.ready ? this.#waiting : undefined;
    if (ready !== undefined) this.#waiting = undefined;
    return ready;
  }

  remove(exchange: ServerExchange): void {
    const index = this.#open.indexOf(exchange);
    if (index === 0) this.#open.shift();
    else if (index > 0) this.#open.splice(index, 1);
    if (exchange === this.#waiting) this.#waiting = undefined;
  }

  /** Tells all that are carried out. */
  clientEnded(): void {
    for (const exchange of [...this.#open]) if (!exchange.over) exchange.handler.onClientEnded?.();
  }

  /** Takes them all out. */
  drain(): ServerExchange[] {
    this.#waiting = undefined;
    return this.#open.splice(0);
  }
}

function isSafe({ request }: ServerExchange): boolean {
  return SAFE.has(request.method) && !request.upgrade;
}
