// Reads the PROXY protocol's header from each trusted peer, before node:http sees the connection.

import type { Server } from "node:http";
import type { Socket } from "node:net";
import { parseProxyHeader } from "../downstream/proxy-protocol.ts";
import type { TrustedPeers } from "../downstream/trusted-peers.ts";

const PROXY_HEADER_WITHIN_MS = 5_000;

/**
 * Has the server read a PROXY protocol header from each trusted peer before any HTTP. From a trusted peer it must come; what
 * an untrusted one sends is HTTP, or a 400.
 */
export function expectProxyProtocol(server: Server, trusted: TrustedPeers): void {
  const [serveHttp] = server.listeners("connection") as ((socket: Socket) => void)[];
  if (serveHttp === undefined) throw new Error("an HTTP server has a connection listener of its own");
  server.off("connection", serveHttp);
  server.on("connection", (socket: Socket) => {
    if (trusted(socket.remoteAddress ?? "")) readHeader(socket, () => serveHttp.call(server, socket));
    else serveHttp.call(server, socket);
  });
}

function readHeader(socket: Socket, done: () => void): void {
  let read: Buffer = Buffer.alloc(0);
  const limit = setTimeout(() => socket.destroy(), PROXY_HEADER_WITHIN_MS);
  const give = () => socket.destroy();
  const onReadable = () => {
    for (let chunk = socket.read() as Buffer | null; chunk !== null; chunk = socket.read() as Buffer | null) {
      read = Buffer.concat([read, chunk]);
    }
    const header = parseProxyHeader(read);
    if (header.kind === "incomplete") return;
    clearTimeout(limit);
    socket.off("readable", onReadable).off("error", give);
    if (header.kind === "malformed") {
      socket.destroy();
      return;
    }
    if (header.address !== undefined) Object.defineProperty(socket, "remoteAddress", { value: header.address });
    const rest = read.subarray(header.length);
    if (rest.length > 0) socket.unshift(rest);
    done();
  };
  socket.on("readable", onReadable).on("error", give);
  socket.once("close", () => clearTimeout(limit));
}
