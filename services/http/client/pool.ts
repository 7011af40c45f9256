// The connections to one server: those that are idle, the most recently used first, and new ones as they are needed. It bounds
// none and lets nobody wait; whoever asks has decided that the server may have another request.

import { connectDirectly } from "../../net/sockets.ts";
import { Transport } from "../../net/transport.ts";
import { ClientConnection, type ClientSettings, type ConnectionKeeper } from "./client-connection.ts";
import type { ClientExchange, RequestStart, ResponseHandler } from "./client-exchange.ts";

export interface PoolParts {
  readonly host: string;
  readonly port: number;
  readonly settings: ClientSettings;
  /** A connection is begun; what it returns is called when that is there. */
  readonly onOpening?: () => () => void;
}

/** Below the 5 s after which a plain Node server closes an idle connection, so that this is the side that closes. */
const IDLE_MS = 4_000;
const IDLE_MS_MAX = 55_000;
/** For what is on the way when a server closes at the time that it has announced. */
const KEPT_MARGIN_MS = 2_000;

export class Pool implements ConnectionKeeper {
  readonly #parts: PoolParts;
  readonly #idle: ClientConnection[] = [];
  readonly #all = new Set<ClientConnection>();
  #closed = false;

  constructor(parts: PoolParts) {
    this.#parts = parts;
  }

  get connections(): number {
    return this.#all.size;
  }

  get idle(): number {
    return this.#idle.length;
  }

  /** Begins an exchange, on an idle connection or on a new one. The handler is not called before this returns. */
  request(start: RequestStart, handler: ResponseHandler): ClientExchange {
    const connection = this.#idle.pop() ?? this.#connect();
    return connection.carry(start, handler);
  }

  /** The same on a new connection in any case: the idle ones may all have been closed at the other end. */
  requestAnew(start: RequestStart, handler: ResponseHandler): ClientExchange {
    return this.#connect().carry(start, handler);
  }

  /** Ends what is idle now, and all else when it has become so. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.cut("the pool is closed");
  }

  /** Cuts everything; exchanges that are under way fail. */
  destroy(): void {
    this.#closed = true;
    for (const connection of this.#all) connection.cut("the pool is closed");
  }

  onIdle(connection: ClientConnection, keptMs: number | undefined): void {
    const ms = keptMs === undefined ? IDLE_MS : Math.min(keptMs - KEPT_MARGIN_MS, IDLE_MS_MAX);
    if (this.#closed || ms <= 0) {
      connection.cut("it is not to be used again");
      return;
    }
    connection.expireIn(ms);
    this.#idle.push(connection);
  }

  onGone(connection: ClientConnection): void {
    this.#all.delete(connection);
    const index = this.#idle.lastIndexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  #connect(): ClientConnection {
    const { host, port, settings, onOpening } = this.#parts;
    const transport = new Transport(connectDirectly({ host, port }), { direct: true });
    if (onOpening !== undefined) transport.stream.once("connect", onOpening());
    const connection = new ClientConnection({ transport, settings, keeper: this });
    this.#all.add(connection);
    return connection;
  }
}
