// Where upgrades leave our own engine for node:http: it reads the request once more from the connection that it is handed, and gives
// what http-proxy wants, a message and a socket.

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

interface Upgrading {
  readonly message: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request. */
  readonly early: Buffer;
}

/** Hears what node:http makes of a connection: one of the two, or neither where the connection ends first. */
export interface Upgrader {
  onUpgrade(upgrading: Upgrading): void;
  /** Our own parser has taken it for an upgrade, and node:http has not: it knows fewer methods, say. */
  onRefused(socket: Duplex): void;
}

export class UpgradeServer {
  readonly #server: Server;
  readonly #waiting = new WeakMap<Duplex, Upgrader>();
  readonly #open = new Set<Duplex>();

  /** @param headBytesMax the largest head that our own parser takes: none of them may be too large here */
  constructor({ headBytesMax }: { readonly headBytesMax: number }) {
    this.#server = createServer({ maxHeaderSize: headBytesMax });
    this.#server.on("upgrade", (message, socket, early) => {
      socket.on("error", () => socket.destroy());
      this.#waiting.get(socket)?.onUpgrade({ message, socket: socket as Socket, early });
    });
    this.#server.on("request", ({ socket }) => this.#refuse(socket));
    this.#server.on("clientError", (_error, socket) => this.#refuse(socket));
  }

  /** Connections that were handed over and are open. */
  get size(): number {
    return this.#open.size;
  }

  /** @param connection as if nothing had been read from it yet */
  take(connection: Duplex, upgrader: Upgrader): void {
    this.#waiting.set(connection, upgrader);
    this.#open.add(connection);
    connection.once("close", () => this.#open.delete(connection));
    this.#server.emit("connection", connection);
    connection.resume();
  }

  cut(): void {
    for (const connection of this.#open) connection.destroy();
  }

  #refuse(socket: Duplex): void {
    socket.on("error", () => socket.destroy());
    if (socket.writable) this.#waiting.get(socket)?.onRefused(socket);
    else socket.destroy();
  }
}
