// What stands behind a tier in tests: servers of the test's own on free ports, as HTTP or as bare sockets, that keep what
// they are asked. They are cut off when the test is over.

import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Socket } from "node:net";
import { listening } from "../ports.ts";
import type { Scope } from "../scope.ts";

export interface AskedRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
}

export interface Origin {
  readonly port: number;
  /** The requests so far, in order. */
  readonly asked: AskedRequest[];
}

/** `port` 0: any. */
export async function origin(scope: Scope, answer: RequestListener, port = 0): Promise<Origin> {
  const asked: AskedRequest[] = [];
  const server = createHttpServer((request, response) => {
    asked.push({ method: request.method ?? "", url: request.url ?? "", rawHeaders: request.rawHeaders });
    answer(request, response);
  });
  return { port: await listening(scope, server, port), asked };
}

/** An origin that answers everything with its name. */
export function named(scope: Scope, name: string, port = 0): Promise<Origin> {
  return origin(scope, (_request, response) => void response.end(name), port);
}

export interface RawOrigin {
  readonly port: number;
  /** The connections so far, in order. */
  readonly sockets: readonly Socket[];
  /** All bytes that came in so far, over all connections, as latin1. */
  readonly received: () => string;
}

/** `serve` is called with the first bytes of each connection, and with all that follow. */
export async function rawOrigin(scope: Scope, serve: (socket: Socket, bytes: Buffer) => void): Promise<RawOrigin> {
  const sockets: Socket[] = [];
  let received = "";
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes: Buffer) => {
      received += bytes.toString("latin1");
      serve(socket, bytes);
    });
  });
  return { port: await listening(scope, server), sockets, received: () => received };
}
