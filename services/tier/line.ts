// The line to one member instance: its undici pool, and what has been learnt of how the instance talks. undici breaks at a
// 100 (Continue) that it did not ask for, which any server may send (RFC 9110 section 15.2); over node:http it does no harm.

import type { Pool } from "undici";

export class Line {
  readonly pool: Pool;
  /** Does the instance send a 100 unasked? Undefined: it has not had the occasion. */
  #continues: boolean | undefined;

  constructor(pool: Pool) {
    this.pool = pool;
  }

  /**
   * Must a request go over node:http? Those with a body, which a 100 is about, do until one has been answered without: not all
   * of them could be repeated.
   */
  needsHttp(hasBody: boolean): boolean {
    return this.#continues ?? hasBody;
  }

  /** A 100 came that nobody asked for. */
  continued(): void {
    this.#continues = true;
  }

  /** A request with a body has been answered without one. */
  answered(): void {
    this.#continues ??= false;
  }
}
