// The server at the far end: records every byte of every connection and answers with whatever bytes a test scripts.
// `/fence` is its own: it is always answered and never part of a recording, so that a test can ask "is all well still?".

import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { within } from "../eventually.ts";
import { type Head, type Message, readRequest, readRequestHead, valuesOf } from "./http-bytes.ts";
import { PATIENCE_MS } from "./waiting.ts";

/** One request as the origin meets it; handed to the script as soon as its head has come. */
export class Peer {
  readonly socket: Socket;
  readonly head: Head;
  /** The whole request; never settles for one that does not become whole. */
  readonly whole: Promise<Message>;
  readonly closed: Promise<void>;
  /** Sets what comes from now on apart: it is another protocol's. */
  readonly tunnel: () => Tunnel;

  constructor(parts: Pick<Peer, "socket" | "head" | "whole" | "closed" | "tunnel">) {
    this.socket = parts.socket;
    this.head = parts.head;
    this.whole = parts.whole;
    this.closed = parts.closed;
    this.tunnel = parts.tunnel;
  }

  send(bytes: string): void {
    this.socket.write(bytes, "latin1");
  }

  end(bytes = ""): void {
    this.socket.end(bytes, "latin1");
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }
}

export interface Tunnel {
  /** Resolves when exactly this has come since. */
  readonly has: (bytes: string) => Promise<void>;
}

export type Script = (peer: Peer) => void | Promise<void>;

/** What came while one script was played. */
export interface Recording {
  readonly whole: Message[];
  /** Heads whose bodies never became whole, among them those that are still coming. */
  readonly begun: Head[];
  /** What was no HTTP, and what went wrong in the script. */
  readonly faults: string[];
}

export const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** Answers when the whole request is there. */
export function answering(bytes: string): Script {
  return async (peer) => {
    await peer.whole;
    peer.send(bytes);
  };
}

const BAD_REQUEST = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const FENCE = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfence";

export class RecordingOrigin {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #script: Script = answering(OK);
  #recording: Recording = { whole: [], begun: [], faults: [] };

  constructor() {
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  async listen(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** From now on requests are answered by this script and go into the recording it returns. */
  play(script: Script = answering(OK)): Recording {
    this.#script = script;
    this.#recording = { whole: [], begun: [], faults: [] };
    return this.#recording;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    const connection = new Connection(socket, {
      onHead: (peer) => void this.#onHead(peer),
      onWhole: (head, message) => this.#onWhole(head, message),
      onFault: (fault) => this.#recording.faults.push(fault),
    });
    socket.on("data", (chunk: Buffer) => connection.receive(chunk.toString("latin1")));
    socket.on("end", () => socket.end());
  }

  async #onHead(peer: Peer): Promise<void> {
    if (isFence(peer.head)) return answering(FENCE)(peer);
    const recording = this.#recording;
    recording.begun.push(peer.head);
    try {
      await this.#script(peer);
    } catch (error) {
      recording.faults.push(String(error));
    }
  }

  #onWhole(head: Head, message: Message): void {
    if (isFence(head)) return;
    const { begun, whole } = this.#recording;
    begun.splice(begun.indexOf(head), 1);
    whole.push(message);
  }
}

function isFence({ line }: Head): boolean {
  return line.startsWith("GET /fence ");
}

interface Listeners {
  readonly onHead: (peer: Peer) => void;
  readonly onWhole: (head: Head, message: Message) => void;
  readonly onFault: (fault: string) => void;
}

const LONG = 100_000;

/** Cuts the bytes of one connection into requests. */
class Connection {
  readonly #socket: Socket;
  readonly #listeners: Listeners;
  readonly #closed: Promise<void>;
  #received = "";
  #segment = "";
  #current: { readonly head: Head; readonly settle: (message: Message) => void } | undefined;
  #tunnelled = false;
  #wake: () => void = () => {};

  constructor(socket: Socket, listeners: Listeners) {
    this.#socket = socket;
    this.#listeners = listeners;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  receive(text: string): void {
    this.#segment = text;
    this.#received += text;
    this.#wake();
    while (!this.#tunnelled && this.#advance());
  }

  /** @returns whether it took something */
  #advance(): boolean {
    if (this.#received === "") return false;
    if (this.#current === undefined && !this.#begin()) return false;
    if (this.#received.length > LONG && !this.#mayBeWhole()) return false;
    const read = readRequest(this.#received);
    if (read.kind === "incomplete" || this.#current === undefined) return false;
    if (read.kind === "fault") return this.#fault(read.fault);
    const { head, settle } = this.#current;
    this.#received = this.#received.slice(read.size);
    this.#current = undefined;
    this.#listeners.onWhole(head, read.message);
    settle(read.message);
    return true;
  }

  /** A long body is not read again for each of its segments. */
  #mayBeWhole(): boolean {
    const [length] = this.#current === undefined ? [] : valuesOf(this.#current.head, "content-length");
    return length === undefined ? this.#segment.endsWith("\r\n\r\n") : this.#received.length > Number(length);
  }

  #begin(): boolean {
    const read = readRequestHead(this.#received);
    if (read.kind === "fault") return this.#fault(read.fault);
    if (read.kind === "incomplete") return false;
    let settle: (message: Message) => void = () => {};
    const whole = new Promise<Message>((resolve) => {
      settle = resolve;
    });
    this.#current = { head: read.message, settle };
    const { message: head } = read;
    const peer = new Peer({ socket: this.#socket, head, whole, closed: this.#closed, tunnel: () => this.#tunnel() });
    this.#listeners.onHead(peer);
    return true;
  }

  #tunnel(): Tunnel {
    this.#tunnelled = true;
    const has = async (bytes: string) => {
      while (this.#received !== bytes)
        await within(PATIENCE_MS, `${JSON.stringify(bytes)} in the tunnel`, this.#change());
    };
    return { has };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #fault(fault: string): false {
    this.#listeners.onFault(fault);
    this.#tunnelled = true;
    this.#socket.end(BAD_REQUEST);
    return false;
  }
}
