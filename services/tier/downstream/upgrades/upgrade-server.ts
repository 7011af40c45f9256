// Where upgrades leave our own engine for node:http: it reads the request once more from the connection that it is handed, and gives
// what http-proxy wants, a message and a socket.

import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

interface Upgrading {
  readonly message: IncomingMessage;
  readonly socket: Socket;
  /** What came behind the request. */
  readonly early: Buffer;
}

type Take = (upgrading: Upgrading) => void;

export class UpgradeServer {
  readonly #server = createServer();
  readonly #waiting = new WeakMap<Duplex, Take>();
  readonly #open = new Set<Duplex>();

  constructor() {
    this.#server.on("upgrade", (message, socket, early) => {
      socket.on("error", () => socket.destroy());
      this.#waiting.get(socket)?.({ message, socket: socket as Socket, early });
    });
    // Our own parser has taken it for an upgrade, and node:http has not.
    this.#server.on("request", ({ socket }) => socket.destroy());
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  /** Connections that were handed over and are open. */
  get size(): number {
    return this.#open.size;
  }

  /** @param connection as if nothing had been read from it yet */
  take(connection: Duplex, take: Take): void {
    this.#waiting.set(connection, take);
    this.#open.add(connection);
    connection.once("close", () => this.#open.delete(connection));
    this.#server.emit("connection", connection);
    connection.resume();
  }

  cut(): void {
    for (const connection of this.#open) connection.destroy();
  }
}
