// Two sessions over one real connection, as balancer and proxy have them, and what is needed to look at both. Each test says how the
// accepting side answers.

import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { acceptSession } from "../../services/link/accept.ts";
import { connectSession, type LinkTarget } from "../../services/link/connect.ts";
import { asksForLink } from "../../services/link/negotiation.ts";
import type { Session } from "../../services/link/session.ts";
import type { SessionEnd, SessionOwner, SessionSettings } from "../../services/link/session-owner.ts";
import type { Stream } from "../../services/link/stream.ts";
import type { StreamHandler } from "../../services/link/stream-handler.ts";
import type { Cursor } from "../../services/net/cursor.ts";
import { Transport } from "../../services/net/transport.ts";
import type { Scope } from "../tools/scope.ts";

export const SETTINGS: SessionSettings = { streamsMax: 2_000, headBytesMax: 16_384, silenceMsMax: 5_000 };

export type Accept = (stream: Stream) => StreamHandler;

/** One side's session with what it has said to its owner. */
export class Side implements SessionOwner {
  session: Session | undefined;
  socket: Socket | undefined;
  goaways = 0;
  readonly ended: Promise<SessionEnd>;
  readonly #accept: Accept;
  #end: (end: SessionEnd) => void = () => {};

  constructor(accept: Accept = () => new Recorder()) {
    this.#accept = accept;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  onOpen(): void {}

  onStream(stream: Stream): StreamHandler {
    return this.#accept(stream);
  }

  onGoaway(): void {
    this.goaways += 1;
  }

  onClose(end: SessionEnd): void {
    this.#end(end);
  }
}

export interface Pair {
  readonly client: Session;
  readonly server: Session;
  readonly clientSide: Side;
  readonly serverSide: Side;
}

export interface PairOptions {
  readonly accept?: Accept;
  readonly settings?: Partial<SessionSettings>;
}

export async function linked(scope: Scope, { accept, settings }: PairOptions = {}): Promise<Pair> {
  const serverSide = new Side(accept);
  const port = await accepting(scope, serverSide, settings);
  const clientSide = new Side();
  const client = await opened({ ...targetAt(port), owner: clientSide, settings: { ...SETTINGS, ...settings } });
  clientSide.session = client;
  return { client, server: serverSide.session as Session, clientSide, serverSide };
}

/** A target with what most tests want. */
export function targetAt(port: number): LinkTarget {
  return { host: "127.0.0.1", port, timeoutMs: 5_000, settings: SETTINGS, owner: new Side() };
}

/** @throws when there is no link */
export async function opened(target: LinkTarget): Promise<Session> {
  const connected = await connectSession(target);
  if (connected.kind !== "session") throw new Error(JSON.stringify(connected));
  return connected.session;
}

/** A port that accepts the link. */
export async function accepting(scope: Scope, side: Side, settings?: Partial<SessionSettings>): Promise<number> {
  return listening(scope, (socket) => {
    const carrier = new Transport(socket, { direct: false });
    side.socket = socket;
    let read = "";
    carrier.owner = {
      onBytes({ bytes, at, end }) {
        read += bytes.toString("latin1", at, end);
        const length = read.indexOf("\r\n\r\n") + 4;
        if (length < 4) return;
        if (!asksForLink(/upgrade: (.*)\r\n\r\n/i.exec(read)?.[1])) throw new Error(read);
        const early = Buffer.from(read.slice(length), "latin1");
        const all = { ...SETTINGS, ...settings };
        side.session = acceptSession({ carrier, early, settings: all, owner: side });
      },
      onDrain() {},
      onEnd() {},
      onClose() {},
    };
  });
}

/** A port whose connections are given to `take`, and end with the scope. */
export async function listening(scope: Scope, take: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    take(socket);
  });
  scope.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return (server.address() as { port: number }).port;
}

/** Keeps what it hears. */
export class Recorder implements StreamHandler {
  readonly informational: string[] = [];
  head: string | undefined;
  body = "";
  bodyBytes = 0;
  trailers: string | undefined;
  writable = 0;
  /** How it ended: `whole`, or its failure. */
  readonly over: Promise<string>;
  #over: (how: string) => void = () => {};
  readonly #keepsBody: boolean;

  constructor({ keepsBody }: { readonly keepsBody: boolean } = { keepsBody: true }) {
    this.#keepsBody = keepsBody;
    this.over = new Promise((resolve) => {
      this.#over = resolve;
    });
  }

  onInformational({ bytes, at, end }: Cursor): void {
    this.informational.push(bytes.toString("latin1", at, end));
  }

  onHead({ bytes, at, end }: Cursor): void {
    this.head = bytes.toString("latin1", at, end);
  }

  onWhole(head: Cursor, body: Buffer): void {
    this.onHead(head);
    this.onData(body);
    this.onEnd(Buffer.alloc(0));
  }

  onData(chunk: Buffer): void {
    this.bodyBytes += chunk.length;
    if (this.#keepsBody) this.body += chunk.toString("latin1");
  }

  onEnd(trailers: Buffer): void {
    this.trailers = trailers.toString("latin1");
    this.#over("whole");
  }

  onWritable(): void {
    this.writable += 1;
  }

  onFailure(failure: string): void {
    this.#over(failure);
  }
}

/** Answers with what it is sent, as it comes. */
export class Echo extends Recorder {
  readonly stream: Stream;

  constructor(stream: Stream) {
    super({ keepsBody: false });
    this.stream = stream;
  }

  override onWhole(head: Cursor, body: Buffer): void {
    this.stream.whole(head.bytes.toString("latin1", head.at, head.end), body);
  }

  override onHead(head: Cursor): void {
    super.onHead(head);
    this.stream.head(this.head as string);
  }

  override onData(chunk: Buffer): void {
    super.onData(chunk);
    if (!this.stream.write(chunk)) this.stream.pause();
  }

  override onWritable(): void {
    this.stream.resume();
  }

  override onEnd(trailers: Buffer): void {
    super.onEnd(trailers);
    this.stream.end(trailers.toString("latin1"));
  }
}
