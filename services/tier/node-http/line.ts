// The line to one member instance: its undici pool, and what undici does not tell. It breaks at a 100 (Continue) that it did
// not ask for, which any server may send (RFC 9110 section 15.2), so who sends one is remembered, and asked over node:http;
// and it takes a reset for the end of a body that only the connection delimits.

import { buildConnector, Pool } from "undici";

/** Below the 5 s after which a plain Node server closes an idle connection, so that the pool is the side that closes. */
const IDLE_MS = 4_000;
const IDLE_MS_MAX = 55_000;

export class Line {
  readonly pool: Pool;
  /** Does the instance send a 100 unasked? Undefined: it has not had the occasion. */
  #continues: boolean | undefined;
  #breaks = false;

  constructor(origin: string, connectTimeoutMs: number) {
    const connect = buildConnector({ timeout: connectTimeoutMs });
    this.pool = new Pool(origin, {
      connect: (options, done) => connect(options, (...made) => done(...this.#watched(made))),
      // places.ts bounds the requests, and with them the connections; undici's own queue has no limit in time.
      connections: null,
      pipelining: 1,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS_MAX,
    });
  }

  /** Is this the moment in which a connection breaks? Then an answer that ends in it has not ended well. */
  get breaks(): boolean {
    return this.#breaks;
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

  /** Listens before undici does, which ends the answer while the error is being told. */
  #watched(made: Parameters<buildConnector.Callback>): Parameters<buildConnector.Callback> {
    made[1]?.on("error", () => {
      this.#breaks = true;
      queueMicrotask(() => {
        this.#breaks = false;
      });
    });
    return made;
  }
}
