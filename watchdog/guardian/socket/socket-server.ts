// A filtered socket as a server: bounds on what may come in, a 403 with a log line for what is refused, a 503 that says why where
// the engine does not answer, and an end to the engine's side when whoever asked is gone.

import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { FilterAnswer, SocketFilter } from "./filter.ts";
import type { RefusedCall } from "./refusals.ts";

const HEAD_BYTES_MAX = 16 * 1024;
const BODY_BYTES_MAX = 4 * 1024 * 1024;
/** Each container's log is one. */
const CONNECTIONS_MAX = 2_000;
/** How many bodies are read and compared at one time. */
const BODIES_MAX = 8;
const HEAD_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 30_000;
/** Longer than a client of Node's own keeps a connection, so that it is never closed under a request. */
const IDLE_MS = 60_000;

/** Of an answer's head; the second says of a file what there is to say. */
const PASSED_ON = new Set(["content-type", "x-docker-container-path-stat"]);

export interface FilteredSocket {
  readonly filter: SocketFilter;
  /** Named in what is said when the engine does not answer. */
  readonly enginePath: string;
  readonly onRefused: (call: RefusedCall) => void;
}

/** @returns the server, which listens */
export async function serveSocket(path: string, socket: FilteredSocket): Promise<Server> {
  const bodies = new Gate(BODIES_MAX);
  const server = createServer(
    { maxHeaderSize: HEAD_BYTES_MAX, headersTimeout: HEAD_WITHIN_MS, requestTimeout: REQUEST_WITHIN_MS },
    (request, response) => void answer(request, response, { ...socket, bodies }),
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.keepAliveTimeout = IDLE_MS;
  server.on("clientError", (_error, client: Socket) => void client.destroy());
  server.listen(path);
  await once(server, "listening");
  return server;
}

interface Serving extends FilteredSocket {
  readonly bodies: Gate;
}

async function answer(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { method = "", url = "" } = request;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  // An end in the middle is heard of by the other events.
  for (const side of [request, response]) side.on("error", () => {});
  let free = () => {};
  const body = async () => {
    free = await serving.bodies.enter();
    return text(request);
  };
  try {
    const passed = await serving.filter.pass({ method, url, body, signal: gone.signal });
    await send(passed, response, () => serving.onRefused({ method, target: url, reason: reasonOf(passed) }));
  } catch (error) {
    failed(response, error as NodeJS.ErrnoException, serving.enginePath);
  } finally {
    free();
    // Whatever of a body nobody wanted is let go.
    request.resume();
  }
}

async function send(passed: FilterAnswer, response: ServerResponse, onRefused: () => void): Promise<void> {
  if (passed.kind === "refused") {
    // Gone in the middle of its body, it has asked nothing.
    if (!response.destroyed) onRefused();
    say(response, 403, { message: `refused by the guardian: ${passed.reason}` });
  } else if (passed.kind === "whole") {
    const { status, type, bytes } = passed.answer;
    response.writeHead(status, { ...(type && { "Content-Type": type }) }).end(bytes);
  } else {
    const { statusCode = 502, headers } = passed.answer;
    const passedOn = Object.entries(headers).filter(([name]) => PASSED_ON.has(name));
    response.writeHead(statusCode, Object.fromEntries(passedOn));
    response.flushHeaders();
    passed.answer.once("error", () => response.destroy());
    passed.answer.pipe(response);
  }
}

const reasonOf = (passed: FilterAnswer) => (passed.kind === "refused" ? passed.reason : "");

function failed(response: ServerResponse, { code, message }: NodeJS.ErrnoException, socket: string): void {
  if (response.headersSent) return void response.destroy();
  say(response, 503, { message: `the Docker engine does not answer: ${message}`, code, socket });
}

function say(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

/** @returns undefined when it is too large, or cut short */
async function text(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let count = 0;
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      count += piece.length;
      if (count > BODY_BYTES_MAX) return undefined;
      pieces.push(piece);
    }
    return Buffer.concat(pieces).toString();
  } catch {
    return undefined;
  }
}

/** Lets so many in at a time, in the order in which they came. */
class Gate {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** @returns what gives the place back */
  async enter(): Promise<() => void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    };
  }
}
