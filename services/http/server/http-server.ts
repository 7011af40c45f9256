// The side towards clients: takes their connections, keeps count of them, makes room by closing those that have been idle longest,
// and ends them all when the time has come.

import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Cursor } from "../../net/cursor.ts";
import { ACCEPTING, acceptDirectly } from "../../net/sockets.ts";
import { Transport } from "../../net/transport.ts";
import { monotonicMs } from "../../runtime/clock.ts";
import type { Fault } from "../message/faults.ts";
import type { OpenConnection, RequestListener, ServerSettings } from "./request-listener.ts";
import { ServerConnection } from "./server-connection.ts";
import type { ServerExchange } from "./server-exchange.ts";
import { Sources, sourceOf } from "./sources.ts";

export interface HttpServerParts {
  readonly settings: ServerSettings & { readonly connectionsMax: number };
  readonly onRequest: (exchange: ServerExchange) => void;
  /** @returns the whole answer to what is no request, as latin1 */
  readonly refusal: RequestListener["refusal"];
  /** Does acceptDirectly() work on this Node? (sockets.ts) */
  readonly direct: boolean;
  /** How many connections one client's address may have, but for those who are trusted. */
  readonly perSource?: {
    readonly max: number;
    readonly isExempt: (address: string) => boolean;
    readonly onRefused: () => void;
  };
  /** Has its turn before HTTP does, and then calls `serve`, with the bytes that it has read too far. */
  readonly prepare?: (transport: Transport, serve: (unread?: Cursor) => void) => void;
}

/** From this share of the connections that there may be, idle ones are closed for new ones. */
const CROWDED_SHARE = 0.9;
/** How many of them at once, so that not each new connection looks at all. */
const RECLAIMED_SHARE = 0.01;

export class HttpServer implements RequestListener {
  readonly server: Server;
  draining = false;
  /** Connections that have come, and those that were one too many of all. */
  accepted = 0;
  dropped = 0;
  readonly #parts: HttpServerParts;
  /** With the source of each, where that is counted. */
  readonly #connections = new Map<OpenConnection, string | undefined>();
  readonly #sources: Sources;

  constructor(parts: HttpServerParts) {
    this.#parts = parts;
    this.#sources = new Sources(parts.perSource?.max ?? Number.POSITIVE_INFINITY);
    this.server = createServer(ACCEPTING, (socket) => this.#accept(socket));
    this.server.maxConnections = parts.settings.connectionsMax;
    this.server.on("drop", () => {
      this.dropped += 1;
    });
  }

  get connections(): number {
    return this.#connections.size;
  }

  onRequest(exchange: ServerExchange): void {
    this.#parts.onRequest(exchange);
  }

  refusal(fault: Fault, told: boolean): string {
    return this.#parts.refusal(fault, told);
  }

  onClosed(connection: OpenConnection): void {
    const source = this.#connections.get(connection);
    if (source !== undefined) this.#sources.giveBack(source);
    this.#connections.delete(connection);
  }

  /** It is still one of its client's. */
  onHandedOver(connection: OpenConnection, stream: Duplex): void {
    const source = this.#connections.get(connection);
    if (source !== undefined) stream.once("close", () => this.#sources.giveBack(source));
    this.#connections.delete(connection);
  }

  /** Serves what comes over any duplex stream, as a connection of this server's. */
  serve(transport: Transport, unread?: Cursor): void {
    const { settings, perSource } = this.#parts;
    const source = this.#countedSource(transport);
    if (source !== undefined && !this.#sources.take(source)) {
      perSource?.onRefused();
      transport.destroy();
      return;
    }
    if (this.#connections.size >= settings.connectionsMax * CROWDED_SHARE) this.#reclaim();
    const connection = new ServerConnection({ transport, settings, listener: this });
    this.#connections.set(connection, source);
    if (unread !== undefined) connection.onBytes(unread);
  }

  /** From now on connections end with the answer that comes next. */
  drain(): void {
    this.draining = true;
  }

  /** Closes those that have been idle for so long. */
  closeIdle(forMs = 0): void {
    const before = monotonicMs() - forMs;
    for (const connection of this.#connections.keys()) {
      if (connection.idleSinceMs !== undefined && connection.idleSinceMs <= before) connection.close();
    }
  }

  /** Cuts all that are left. */
  closeAll(): void {
    for (const connection of this.#connections.keys()) connection.close();
  }

  #accept(accepted: Socket): void {
    const { direct, prepare } = this.#parts;
    this.accepted += 1;
    if (direct) acceptDirectly(accepted);
    const transport = new Transport(accepted, { direct });
    if (prepare === undefined) this.serve(transport);
    else prepare(transport, (unread) => this.serve(transport, unread));
  }

  /** @returns undefined for one that may have any number of connections */
  #countedSource({ remoteAddress }: Transport): string | undefined {
    const { perSource } = this.#parts;
    if (perSource === undefined || remoteAddress === undefined || perSource.isExempt(remoteAddress)) return undefined;
    return sourceOf(remoteAddress);
  }

  #reclaim(): void {
    const idle = [...this.#connections.keys()].filter(({ idleSinceMs }) => idleSinceMs !== undefined);
    idle.sort((one, other) => (one.idleSinceMs as number) - (other.idleSinceMs as number));
    const count = Math.ceil(this.#parts.settings.connectionsMax * RECLAIMED_SHARE);
    for (const connection of idle.slice(0, count)) connection.close();
  }
}
