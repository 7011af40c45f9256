// Real ports for tests: taken ones that stay taken until the test is over, and one that nobody listens on.

import { once } from "node:events";
import { createServer, type Server } from "node:net";
import type { Scope } from "./scope.ts";

export const HOST = "127.0.0.1";

/** A port that somebody listens on until the test is over. */
export async function takenPort(scope: Scope, wanted = 0): Promise<number> {
  const { server, port } = await listening(wanted);
  scope.after(() => void server.close());
  return port;
}

/** A port that was free a moment ago: whoever connects is refused. */
export async function freePort(): Promise<number> {
  const { server, port } = await listening(0);
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

async function listening(wanted: number): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(wanted, HOST);
  await once(server, "listening");
  return { server, port: (server.address() as { port: number }).port };
}
