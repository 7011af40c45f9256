// Real ports for tests: taken ones that stay taken until the test is over, and one that nobody listens on.

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import type { Scope } from "./scope.ts";

export const HOST = "127.0.0.1";

/** Listens, on a free port unless one is asked for; what is still connected is cut off when the scope is over. */
export async function listening(scope: Scope, server: Server, port = 0, host = HOST): Promise<number> {
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  server.listen(port, host);
  await once(server, "listening");
  // A scope may be over at once: then nobody can ask where it listened.
  const address = server.address() as { port: number };
  scope.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return address.port;
}

/** A port that somebody listens on until the test is over. */
export function takenPort(scope: Scope, wanted = 0): Promise<number> {
  return listening(scope, createServer(), wanted);
}

/** A port that was free a moment ago: whoever connects is refused. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listening({ after: () => {} }, server);
  server.close();
  await once(server, "close");
  return port;
}

/** As many taken ports as asked for, side by side; returns the first. */
export async function takenRange(scope: Scope, count: number): Promise<number> {
  for (;;) {
    const first = await takenPort(scope);
    const rest = Array.from({ length: count - 1 }, (_, index) => takenPort(scope, first + index + 1));
    const results = await Promise.allSettled(rest);
    if (results.every(({ status }) => status === "fulfilled")) return first;
  }
}
