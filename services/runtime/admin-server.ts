// The HTTP server of every port that only those who look after a process ask: members' admin ports, the watchdog's own port. What
// a stranger can take of it is bounded. It never refuses a connection: that would be the probe by which the member is judged.

import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";

/** A member's: a browser's six, a scrape, a probe and a command line many times over. */
const CONNECTIONS_MAX = 64;
/** For a whole request; none that is meant so has a body. */
const REQUEST_MS = 5_000;
/** The watchdog's probes come more often, and go on using their connection. */
const IDLE_MS = 5_000;
/** For a reader that stands still in the middle of an answer. */
const STALLED_MS = 10_000;
const HEADER_BYTES_MAX = 8_192;

/** @param connectionsMax past it, the oldest of the address that has the most is closed */
export function adminServer(listener: RequestListener, connectionsMax = CONNECTIONS_MAX): Server {
  const options = {
    requestTimeout: REQUEST_MS,
    headersTimeout: REQUEST_MS,
    keepAliveTimeout: IDLE_MS,
    connectionsCheckingInterval: 1_000,
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  const server = createServer(options, listener);
  server.setTimeout(STALLED_MS);
  const open = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    if (open.size > connectionsMax) oldestOfMost(open)?.destroy();
  });
  return server;
}

/** The oldest connection of the address that has the most: whoever has one keeps it, whatever others open. */
function oldestOfMost(open: Iterable<Socket>): Socket | undefined {
  const byAddress = new Map<string | undefined, Socket[]>();
  for (const socket of open) {
    const { remoteAddress } = socket;
    const others = byAddress.get(remoteAddress);
    if (others === undefined) byAddress.set(remoteAddress, [socket]);
    else others.push(socket);
  }
  const [most] = [...byAddress.values()].sort((one, other) => other.length - one.length);
  return most?.[0];
}
