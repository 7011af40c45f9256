// A server of many sides for real clients: plain and chunked answers, a digest of what is uploaded, server-sent events that a
// test sends one by one, WebSockets and socket.io.

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { Server as SocketIo } from "socket.io";
import { type WebSocket, WebSocketServer } from "ws";
import { listening } from "../ports.ts";
import type { Scope } from "../scope.ts";

/** What `/` answers with about a request. */
export interface Facts {
  readonly server: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: number;
  readonly sha256: string;
}

export interface ManySided {
  readonly port: number;
  /** The answers to /events that are open, in order. */
  readonly listeners: readonly ServerResponse[];
  /** How clients closed their WebSockets: code and reason. */
  readonly closed: readonly [number, string][];
}

export const sha256 = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");

export async function manySided(scope: Scope, name: string): Promise<ManySided> {
  const listeners: ServerResponse[] = [];
  const closed: [number, string][] = [];
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0] ?? "";
    if (path.startsWith("/socket.io/")) return;
    if (path === "/events") {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" }).flushHeaders();
      listeners.push(response);
    } else void answer(name, request, response);
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered][0] ?? false });
  server.on("upgrade", (request, socket, head) => {
    if (request.url !== "/ws") return;
    sockets.handleUpgrade(request, socket, head, (client) => echo(client, closed));
  });
  const io = new SocketIo(server, { destroyUpgrade: false });
  io.on("connection", (client) => {
    client.on("echo", (message: unknown, acknowledge: (heard: unknown) => void) => acknowledge({ message, by: name }));
  });
  scope.after(() => void io.close());
  return { port: await listening(scope, server), listeners, closed };
}

async function answer(server: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = "", url = "", headers } = request;
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  const facts = JSON.stringify({ server, method, url, headers, bytes, sha256: hash.digest("hex") });
  response.setHeader("Content-Type", "application/json");
  if (url === "/gzip") response.setHeader("Content-Encoding", "gzip").end(gzipSync(facts));
  else if (url === "/redirect") response.writeHead(302, { Location: "/redirected" }).end();
  else if (url === "/chunked") {
    response.write("first, ");
    response.end("second");
  } else response.setHeader("Content-Length", Buffer.byteLength(facts)).end(facts);
}

/** Sends back what it gets; told "close", it closes with a code and reason of its own, told "die", without any. */
function echo(client: WebSocket, closed: [number, string][]): void {
  client.on("close", (code, reason) => closed.push([code, String(reason)]));
  client.on("message", (data, binary) => {
    if (String(data) === "close") client.close(4002, "the server's wish");
    else if (String(data) === "die") client.terminate();
    else client.send(data, { binary });
  });
}
