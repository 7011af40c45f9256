// A Docker engine's socket that keeps the first line of each request, for what may be said of everything that somebody asks an engine.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { temporaryDirectory } from "../registry.ts";
import type { Scope } from "../scope.ts";

/** Requests are not pipelined, so each begins with a piece of its own. */
const REQUEST = /^([A-Z]+) (\S+) HTTP\/1\.1\r\n/;

export interface RecordedSocket {
  readonly path: string;
  /** Such as "GET /v1.45/tasks?filters=...". */
  readonly requests: readonly string[];
}

export async function recordedSocket(scope: Scope, enginePath: string): Promise<RecordedSocket> {
  const path = join(await temporaryDirectory(scope), "docker.sock");
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const engine = connect(enginePath);
    for (const [one, other] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(one);
      one
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(one);
          other.destroy();
        });
    }
    client.on("data", (bytes) => {
      const [, method, target] = REQUEST.exec(bytes.toString("latin1")) ?? [];
      if (method !== undefined) requests.push(`${method} ${target}`);
    });
    client.pipe(engine);
    engine.pipe(client);
  });
  server.listen(path);
  await once(server, "listening");
  scope.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { path, requests };
}
