// Plain sockets that are read into one shared buffer (net's documented `onread`), which costs a third of what 'data' events do.
// For connections that come in, Node offers no way to that: they are given what `onread` would have given them, under the names that a
// socket of our own shows, and all that is internal to Node about it stands in this file. Where a test at the start finds that it does
// not work, they are read by 'data' events.

import { once } from "node:events";
import { connect, createServer, Socket } from "node:net";
import type { Cursor } from "./cursor.ts";
import { onread, Transport, type TransportOwner } from "./transport.ts";

const TEST_MS_MAX = 2_000;

/** For the servers of connections that come in. Whoever hears that the other side has ended closes them. */
export const ACCEPTING = { noDelay: true, allowHalfOpen: true } as const;

interface Internals {
  readonly _handle: { useUserBuffer(buffer: Uint8Array): void };
  [name: symbol]: unknown;
}

const names = Object.getOwnPropertySymbols(new Socket({ onread } as ConstructorParameters<typeof Socket>[0]));
/** Where a socket keeps its buffer, and whom it tells of what is in there. */
const kBuffer = names.find(({ description }) => description === "kBuffer");
const kBufferCb = names.find(({ description }) => description === "kBufferCb");
/** Who makes a buffer for each read; null where it is always the same. */
const kBufferGen = names.find(({ description }) => description === "kBufferGen");

/** A connection to a server; it connects by itself, and is read directly. Whoever hears that the other side has ended closes it. */
export function connectDirectly({ host, port }: { readonly host: string; readonly port: number }): Socket {
  return connect({ host, port, noDelay: true, allowHalfOpen: true, onread });
}

/** From now on it is read directly. Of what came before the event that gave it to us nothing has been read. */
export function acceptDirectly(accepted: Socket): void {
  if (kBuffer === undefined || kBufferCb === undefined) throw new Error("Node keeps a socket's buffer elsewhere");
  const internals = accepted as unknown as Internals;
  internals[kBuffer] = onread.buffer;
  internals[kBufferCb] = onread.callback;
  internals._handle.useUserBuffer(onread.buffer);
}

/** Does acceptDirectly() do on this Node what it is meant to, with a count that is right? Takes a few milliseconds. */
export async function directAcceptWorks(): Promise<boolean> {
  if (kBuffer === undefined || kBufferCb === undefined) return false;
  const failed = new AbortController();
  const signal = AbortSignal.any([AbortSignal.timeout(TEST_MS_MAX), failed.signal]);
  const server = createServer(ACCEPTING, (socket) => {
    try {
      if (kBufferGen === undefined || (socket as unknown as Internals)[kBufferGen] !== null)
        throw new Error("another Node");
      acceptDirectly(socket);
      new Echo(socket);
    } catch {
      socket.destroy();
      failed.abort();
    }
  });
  // Exclusive: one of several workers must not get what another one sends itself.
  server.listen({ port: 0, host: "127.0.0.1", exclusive: true });
  try {
    await once(server, "listening", { signal });
    const client = connect((server.address() as { port: number }).port, "127.0.0.1");
    client.write("echo");
    const [answer] = await once(client, "data", { signal });
    client.end();
    await once(client, "close", { signal });
    // Comes only when none of its connections is counted any more.
    await once(server.close(), "close", { signal });
    return String(answer) === "echo";
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** Says what it hears, and ends when the other side does. */
class Echo implements TransportOwner {
  readonly #transport: Transport;

  constructor(socket: Socket) {
    this.#transport = new Transport(socket, { direct: true });
    this.#transport.owner = this;
  }

  onBytes({ bytes, at, end }: Cursor): void {
    this.#transport.write(bytes.toString("latin1", at, end));
  }

  onEnd(): void {
    this.#transport.end();
  }

  onDrain(): void {}

  onClose(): void {}
}
