// Ends an HTTP server without cutting a request: refuses new connections, lets what is in flight finish up to a deadline, closes idle
// connections at once and tells the others not to be used again (RFC 9112 section 9.6).

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How long a connection that has said nothing yet may still begin to: its request may be on its way. */
const FIRST_BYTE_MS = 250;

/** Connections that have left HTTP for another protocol. */
export interface UpgradedConnections {
  readonly size: number;
  /** Tells each that has not been told yet that it ends, and ends it. @returns how many */
  end(): number;
  cut(): void;
}

export interface DrainOptions {
  readonly upgraded?: UpgradedConnections | undefined;
  /** When upgraded connections are told: at the beginning, or never, so that they have until the deadline. */
  readonly upgrades?: "close" | "wait";
}

export interface Drained {
  /** Requests and upgraded connections that had not ended at the deadline. */
  readonly cut: number;
  /** Upgraded connections that were told to end. */
  readonly upgradesEnded: number;
}

export class Drain {
  readonly #server: Server;
  readonly #options: DrainOptions;
  readonly #inFlight = new Set<ServerResponse>();
  readonly #sockets = new Set<Socket>();
  #draining = false;
  #upgradesEnded = 0;

  /** Make it before the server listens: it has to see every connection and request. */
  constructor(server: Server, options: DrainOptions = {}) {
    this.#server = server;
    this.#options = options;
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

  /** From now on a connection that has had its answer is not used again; new ones are still taken. */
  begin(): void {
    this.#draining = true;
    for (const response of this.#inFlight) closeAfter(response);
    this.#endUpgrades();
  }

  /** Resolves when every request has finished, or after `deadlineMs` has cut those that had not. */
  async drain(deadlineMs: number): Promise<Drained> {
    this.begin();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    let cut = 0;
    const deadline = setTimeout(() => {
      cut = this.#cut();
    }, deadlineMs);
    // node:http does not count as idle a connection that has never said anything, such as a browser's spare one.
    const firstByte = setTimeout(() => {
      for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
    }, FIRST_BYTE_MS);
    await closed;
    clearTimeout(deadline);
    clearTimeout(firstByte);
    return { cut, upgradesEnded: this.#upgradesEnded };
  }

  #endUpgrades(): void {
    const { upgraded, upgrades = "close" } = this.#options;
    if (upgrades === "close") this.#upgradesEnded += upgraded?.end() ?? 0;
  }

  #cut(): number {
    const { upgraded } = this.#options;
    const cut = this.#inFlight.size + (upgraded?.size ?? 0);
    upgraded?.cut();
    for (const socket of this.#sockets) socket.destroy();
    return cut;
  }
}

/** Makes Node send `Connection: close` with this response and close the connection behind it. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.shouldKeepAlive = false;
}
