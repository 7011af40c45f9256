// Ends an HTTP server without cutting a request: refuses new connections, lets what is in flight finish up to a deadline, closes idle
// connections at once and tells the others not to be used again (RFC 9112 section 9.6).

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How long a connection that has said nothing yet may still begin to: its request may be on its way. */
const FIRST_BYTE_MS = 250;

/** Whatever takes traffic, on its way to its end. */
export interface Drainable {
  /** From now on a connection that has had its answer is not used again; new ones are still taken. */
  begin(): void;
  /** Resolves when everything in flight has finished, or after `deadlineMs` has cut what had not. */
  drain(deadlineMs: number): Promise<Drained>;
}

export interface Drained {
  /** Requests and upgraded connections that had not ended at the deadline. */
  readonly cut: number;
  /** Upgraded connections that were told to end. */
  readonly upgradesEnded: number;
}

export class Drain implements Drainable {
  readonly #server: Server;
  readonly #inFlight = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #draining = false;

  /** Make it before the server listens: it has to see every connection and request. */
  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("request", (_request: IncomingMessage, response: ServerResponse) => {
      this.#inFlight.add(response);
      if (this.#draining) closeAfter(response);
      response.once("close", () => {
        this.#inFlight.delete(response);
        if (this.#draining && !this.#server.listening) this.#server.closeIdleConnections();
      });
    });
  }

  begin(): void {
    this.#draining = true;
    for (const response of this.#inFlight) closeAfter(response);
  }

  async drain(deadlineMs: number): Promise<Drained> {
    this.begin();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    let cut = 0;
    const deadline = setTimeout(() => {
      cut = this.#inFlight.size;
      for (const socket of this.#sockets) socket.destroy();
    }, deadlineMs);
    // node:http does not count as idle a connection that has never said anything, such as a browser's spare one.
    const firstByte = setTimeout(() => {
      for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
    }, FIRST_BYTE_MS);
    await closed;
    clearTimeout(deadline);
    clearTimeout(firstByte);
    return { cut, upgradesEnded: 0 };
  }
}

/** Makes Node send `Connection: close` with this response and close the connection behind it. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.shouldKeepAlive = false;
}
