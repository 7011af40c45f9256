// The order of things on one client's connection: answers leave in the order of their requests, and whatever else is to be said
// or done on it, a 400 for what is no HTTP or the change to another protocol, waits for them (RFC 9112 section 9.3.2).

import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

export class Turns {
  readonly #latest = new WeakMap<Duplex, ServerResponse>();
  readonly #over = new WeakSet<Duplex>();

  /** Before anybody else listens for the server's requests. */
  follow(server: Server): void {
    server.on("request", (request, response) => {
      this.#latest.set(request.socket, response);
      // node:http tells a response that its connection has closed only when it is that response's turn.
      if (response.socket === null) request.socket.setMaxListeners(0).once("close", () => closeUnsent(response));
    });
  }

  /** The last request on the connection, while its answer is not out. */
  pending(socket: Duplex): ServerResponse | undefined {
    const latest = this.#latest.get(socket);
    return latest === undefined || latest.writableFinished ? undefined : latest;
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
