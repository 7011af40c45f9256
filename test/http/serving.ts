// A server of the engine for tests, answering by a function, and what it answers with.

import { once } from "node:events";
import { fieldsOf } from "../../services/http/message/fields.ts";
import { HttpServer, type HttpServerParts } from "../../services/http/server/http-server.ts";
import type { ServerExchange } from "../../services/http/server/server-exchange.ts";
import type { Scope } from "../tools/scope.ts";
import { RawClient } from "../tools/wire/raw-client.ts";

export const SETTINGS: HttpServerParts["settings"] = {
  headBytesMax: 16_384,
  fieldsMax: 100,
  bodyBytesMax: 0,
  headTimeoutMs: 10_000,
  keepAliveTimeoutMs: 65_000,
  idleTimeoutMs: 60_000,
  bodyBytesPerSecondMin: 0,
  bodyRateMs: 5_000,
  pipelinedMax: 4,
  connectionsMax: 10_000,
};

export interface Serving {
  readonly http: HttpServer;
  readonly port: number;
  readonly connect: () => Promise<RawClient>;
}

type Options = Partial<Omit<HttpServerParts, "settings" | "onRequest">> & {
  readonly settings?: Partial<HttpServerParts["settings"]>;
};

/** Listens until the test is over. */
export async function serve(
  scope: Scope,
  onRequest: (exchange: ServerExchange) => void,
  { settings, ...options }: Options = {},
): Promise<Serving> {
  const http = new HttpServer({
    onRequest,
    refusal: ({ status, rule }) =>
      `HTTP/1.1 ${status} No\r\nX-Rule: ${rule}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    direct: true,
    ...options,
    settings: { ...SETTINGS, ...settings },
  });
  http.server.listen(0, "127.0.0.1");
  await once(http.server, "listening");
  const { port } = http.server.address() as { port: number };
  const clients: RawClient[] = [];
  scope.after(async () => {
    for (const client of clients) client.close();
    http.closeAll();
    http.server.close();
    await once(http.server, "close");
  });
  const connect = async () => {
    const client = await RawClient.to(port);
    clients.push(client);
    return client;
  };
  return { http, port, connect };
}

export function answer(exchange: ServerExchange, body: string, ...headers: string[]): void {
  exchange.head(200, "OK", fieldsOf([...headers, "Content-Length", String(body.length)]));
  exchange.data(Buffer.from(body, "latin1"));
  exchange.end();
}

/** Waits for the body, and answers with it. */
export function echo(exchange: ServerExchange): void {
  let body = "";
  exchange.handler = {
    onData: (chunk) => {
      body += chunk.toString("latin1");
    },
    onEnd: () => answer(exchange, body),
    onDrain() {},
    onAbort() {},
  };
  if (exchange.received) answer(exchange, `${exchange.request.method} ${exchange.request.target}`);
}
