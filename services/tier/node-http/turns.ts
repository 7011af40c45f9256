// The order of things on one client's connection (RFC 9112 section 9.3.2): answers leave in the order of their requests, those
// that change something are carried out in it too, and whatever else is to be said or done, a 400 for what is no HTTP or the
// change to another protocol, waits for them.

import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** RFC 9110 section 9.2.1: these may be carried out beside each other. */
const SAFE: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);

export class Turns {
  readonly #latest = new WeakMap<Duplex, ServerResponse>();
  readonly #latestUnsafe = new WeakMap<Duplex, ServerResponse>();
  /** Whom a request has to wait for. */
  readonly #before = new WeakMap<ServerResponse, ServerResponse>();
  readonly #over = new WeakSet<Duplex>();

  /** Before anybody else listens for the server's requests. */
  follow(server: Server): void {
    server.on("request", (request, response) => {
      const { socket, method = "" } = request;
      const before = SAFE.has(method) ? this.#latestUnsafe.get(socket) : this.#latest.get(socket);
      if (before !== undefined && !before.writableFinished) this.#before.set(response, before);
      this.#latest.set(socket, response);
      if (!SAFE.has(method)) this.#latestUnsafe.set(socket, response);
      // node:http tells a response that its connection has closed only when it is that response's turn.
      if (response.socket === null) socket.setMaxListeners(0).once("close", () => closeUnsent(response));
    });
  }

  /** The last request on the connection, while its answer is not out. */
  pending(socket: Duplex): ServerResponse | undefined {
    const latest = this.#latest.get(socket);
    return latest === undefined || latest.writableFinished ? undefined : latest;
  }

  /** Acts when the request may be carried out, perhaps at once; never if the connection closes before that. */
  begin(response: ServerResponse, act: () => void): void {
    const before = this.#before.get(response);
    // Or each would keep the one before it for as long as the connection lasts.
    this.#before.delete(response);
    if (before === undefined) act();
    else before.once("close", () => before.writableFinished && !response.destroyed && act());
  }

  /** Acts when all that came before has been answered, perhaps at once; never if the connection closes with that. */
  after(socket: Duplex, act: () => void): void {
    const pending = this.pending(socket);
    if (pending === undefined) act();
    else pending.once("close", () => socket.writable && act());
  }

  /** Nothing that comes behind the requests so far is heard any more. */
  end(socket: Duplex): void {
    this.#over.add(socket);
  }

  isOver(socket: Duplex): boolean {
    return this.#over.has(socket);
  }
}

function closeUnsent(response: ServerResponse): void {
  if (response.socket === null && !response.writableFinished) response.destroy().emit("close");
}
