// Whose word on the client's address counts: the peers listed in TRUSTED_PROXIES. From them X-Forwarded-For is kept and added
// to, and a PROXY protocol header is believed; what anybody else says of it is overwritten.

import type { Server } from "node:http";
import { BlockList, isIP, type Socket } from "node:net";
import { parseProxyHeader } from "./proxy-protocol.ts";

const PROXY_HEADER_WITHIN_MS = 5_000;

export type Trust = (address: string) => boolean;

/** @param ranges addresses, or networks as address/bits; config.ts has checked them */
export function trustOf(ranges: readonly string[]): Trust {
  const list = new BlockList();
  for (const range of ranges) {
    const [address, bits] = range.split("/") as [string, string?];
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address) => list.check(unmapped(address), isIP(unmapped(address)) === 6 ? "ipv6" : "ipv4");
}

/** An IPv4 address as an IPv6 socket writes it is an IPv4 address. */
export function unmapped(address: string): string {
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice("::ffff:".length) : address;
}

/**
 * Has the server read a PROXY protocol header from each trusted peer before any HTTP. From a trusted peer it must come; what
 * an untrusted one sends is HTTP, or a 400.
 */
export function expectProxyProtocol(server: Server, trusted: Trust): void {
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
